/** The extension of a file name in lowercase. A final `.gz` is ignored. */
export function extensionOf(fileName: string): string | undefined {
  return /\.([^./\\]+)(?:\.gz)?$/i.exec(fileName)?.[1]?.toLowerCase();
}
