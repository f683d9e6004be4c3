/** The extension of a file's name in lowercase, without the `.gz` of a compressed file. */
export function extensionOf(fileName: string): string | undefined {
  return /\.([^./\\]+)(?:\.gz)?$/i.exec(fileName)?.[1].toLowerCase();
}
