/** The first bytes of spreadsheets: a zip archive (.xlsx, .ods) or a compound file (.xls). */
const MAGIC = [
  [0x50, 0x4b, 0x03, 0x04],
  [0xd0, 0xcf, 0x11, 0xe0],
];

/** Whether bytes are a spreadsheet or another archive. */
export function isSpreadsheet(bytes: Uint8Array): boolean {
  return MAGIC.some((magic) => magic.every((byte, i) => bytes[i] === byte));
}
