/** The format and size of an image, from the first bytes of its file. Sizes are those before rotation by EXIF. */
export interface ImageHeader {
  format: string;
  width: number;
  height: number;
  /** Whether it is a PNG in grey of 16 bits, which browsers decode unlike Pillow. */
  isDeepGrey?: boolean;
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** 16 bits, color type 0. */
const DEEP_GREY = 0x1000;
/** Markers of JPEG without content. */
const ALONE = /^(01|d[0-7])$/;
/** Markers of a frame with a size: SOF0 to SOF15 without the tables among them. */
const FRAME = /^c[0-35-79-bd-f]$/;

/** Whether a file begins like one that may be decoded. */
export function isImageFile(head: Uint8Array): boolean {
  return readImageHeader(head) !== undefined || (head[0] === 0xff && head[1] === 0xd8);
}

/**
 * Reads the format and the size of an image without decoding it, so that a file that would need too much memory is
 * never decoded. Undefined for other files, and for files that end before the size.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  try {
    if (PNG.every((byte, i) => bytes[i] === byte))
      return {
        format: 'png',
        width: view.getUint32(16),
        height: view.getUint32(20),
        ...(view.getUint16(24) === DEEP_GREY && { isDeepGrey: true }),
      };
    if (name(0) === 'GIF8')
      return { format: 'gif', width: view.getUint16(6, true), height: view.getUint16(8, true) };
    if (name(0) === 'RIFF' && name(8) === 'WEBP') return webpFacts(view, name(12));
    return bytes[0] === 0xff && bytes[1] === 0xd8 ? jpegFacts(view) : undefined;
  } catch (error) {
    // The file ends too early.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function webpFacts(view: DataView, chunk: string): ImageHeader | undefined {
  const format = 'webp';
  const wide = (at: number) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);
  // 14 bits each, after the start code of a key frame.
  if (chunk === 'VP8 ')
    return { format, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (chunk === 'VP8L') {
    const bits = view.getUint32(21, true);
    return { format, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return chunk === 'VP8X' ? { format, width: wide(24) + 1, height: wide(27) + 1 } : undefined;
}

function jpegFacts(view: DataView): ImageHeader | undefined {
  for (let at = 2; view.getUint8(at) === 0xff; ) {
    const marker = view.getUint8(at + 1).toString(16);
    if (FRAME.test(marker))
      return { format: 'jpeg', width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    // A marker may be preceded by any number of filling bytes.
    if (marker === 'ff') at += 1;
    else at += ALONE.test(marker) ? 2 : 2 + view.getUint16(at + 2);
  }
  return undefined;
}
