/** The remainders of all bytes for a cyclic redundancy check with 32 bits, by its bit-reversed polynomial. */
function remainders(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc;
  });
}

/** The polynomial of IEEE 802.3. */
const IEEE = remainders(0xedb88320);
/** The polynomial of Castagnoli. */
const CASTAGNOLI = remainders(0x82f63b78);

function checksum(bytes: Uint8Array, table: Uint32Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
}

/** The CRC-32 of bytes, as zip archives and PNG files store it. */
export function crc32(bytes: Uint8Array): number {
  return checksum(bytes, IEEE);
}

/** The CRC-32C of bytes (RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  return checksum(bytes, CASTAGNOLI);
}
