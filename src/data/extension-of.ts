/** What a file's name says of its content: its extension in small letters, without the `.gz` of a packed one. */
export function extensionOf(fileName: string): string | undefined {
  return /\.([^./\\]+)(?:\.gz)?$/i.exec(fileName)?.[1].toLowerCase();
}
