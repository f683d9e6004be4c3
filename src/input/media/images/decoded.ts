import { InvalidData, type UserError } from '../../../support/user-error.ts';
import { FileTooLarge, MAX_FILE_BYTES } from '../medium.ts';
import type { ImageHeader } from './image-header.ts';
import { MAX_PIXELS, type Pixels } from './pixels.ts';

/** Pixels that any file may have, and pixels for each byte of larger ones, far more than detailed photos have. */
const FREE_PIXELS = 25_000_000;
const PIXELS_PER_BYTE = 100;

const FORMATS = ['jpeg', 'png', 'webp', 'gif'];

/**
 * Checks a file before it is decoded.
 *
 * @throws FileTooLarge; UserError for other formats
 */
export function assertDecodable(
  where: string,
  size: number,
  facts: ImageHeader | undefined,
  maxPixels = MAX_PIXELS,
): void {
  if (size > MAX_FILE_BYTES)
    throw new FileTooLarge({ where, fault: `has ${size} bytes, more than ${MAX_FILE_BYTES}` });
  if (!facts || !FORMATS.includes(facts.format)) {
    const format = facts ? ` (${facts.format})` : '';
    throw new InvalidData({ where, fault: `is not a JPEG, PNG, WebP or GIF file${format}` });
  }
  const { width, height } = facts;
  if (width * height > maxPixels)
    throw new FileTooLarge({
      where,
      fault: `has ${width} x ${height} pixels, more than ${maxPixels / 1e6} million`,
      hint: 'Make it smaller, or remove it.',
    });
  if (width * height > Math.max(FREE_PIXELS, size * PIXELS_PER_BYTE))
    throw new FileTooLarge({
      where,
      fault: `has ${width} x ${height} pixels in ${size} bytes, which would fill the memory with one color`,
      hint: 'Make it smaller, or remove it.',
    });
}

/** The error for a file that a decoder refuses. */
export function undecodable(where: string, reason: string): UserError {
  return new InvalidData({
    where,
    fault: `cannot be decoded: ${reason}`,
    hint: 'It is damaged or not an image.',
  });
}

/** (a · b) / 255, rounded, with Pillow's integer arithmetic. */
function scaled(product: number): number {
  const sum = product + 128;
  return (sum + (sum >> 8)) >> 8;
}

/** Puts an image with transparency, [height, width, 4], on white, as pasting it with Pillow does. */
export function onWhite({ width, height, data }: Pixels): Pixels {
  const count = width * height;
  const opaque = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) {
    const alpha = data[i * 4 + 3]!;
    for (let c = 0; c < 3; c++) opaque[i * 3 + c] = scaled(data[i * 4 + c]! * alpha + 255 * (255 - alpha));
  }
  return { width, height, data: opaque };
}

/** Converts inks, [height, width, 4], to red, green and blue as Pillow does, without color profiles. */
export function fromInks({ width, height, data }: Pixels): Pixels {
  const count = width * height;
  const converted = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) {
    const light = 255 - data[i * 4 + 3]!;
    for (let c = 0; c < 3; c++) converted[i * 3 + c] = Math.max(0, light - scaled(data[i * 4 + c]! * light));
  }
  return { width, height, data: converted };
}
