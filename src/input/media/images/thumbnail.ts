import type { Pixels } from './pixels.ts';
import { resize } from './resize.ts';

/** Longest side of a thumbnail. */
const SIDE = 48;
/** Bytes before the pixels of a BMP file, and of the part of them that describes the image. */
const HEADER = 54;
const DESCRIPTION = 40;

/**
 * A small version of an image as the data URL of a BMP file, for reports that load nothing. Every browser shows this
 * format, which needs no encoder.
 */
export function thumbnail(pixels: Pixels): string {
  const scale = Math.min(1, SIDE / Math.max(pixels.width, pixels.height));
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  const bytes = encodeBmp(resize(pixels, side(pixels.width), side(pixels.height), 'bilinear'));
  return `data:image/bmp;base64,${btoa(String.fromCharCode(...bytes))}`;
}

function encodeBmp({ width, height, data }: Pixels): Uint8Array {
  // Rows begin at multiples of four bytes.
  const row = Math.ceil((width * 3) / 4) * 4;
  const bytes = new Uint8Array(HEADER + row * height);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x424d);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, HEADER, true);
  view.setUint32(14, DESCRIPTION, true);
  view.setInt32(18, width, true);
  // Rows from the top have a negative height.
  view.setInt32(22, -height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let y = 0; y < height; y++)
    for (let i = 0; i < width * 3; i++)
      // Blue comes first.
      bytes[HEADER + y * row + i] = data[y * width * 3 + i + 2 - 2 * (i % 3)]!;
  return bytes;
}
