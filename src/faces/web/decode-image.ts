import { assertDecodable, undecodable } from '../../input/media/images/decoded.ts';
import { readImageHeader } from '../../input/media/images/image-header.ts';
import type { Pixels } from '../../input/media/images/pixels.ts';
import type { Decoders } from '../../input/media/media.ts';
import { Turns } from '../../support/turns.ts';
import { decodeSound } from './decode-sound.ts';

/** Pixels that are copied from a canvas at a time. */
const PIECE = 2 ** 20;

/** A page decodes one image at a time, because each needs seven bytes per pixel. */
const turns = new Turns();

/**
 * Decodes a JPEG, PNG, WebP or GIF file (its first frame) with the browser's decoders: rotated by its EXIF orientation,
 * transparency on white, without color profiles.
 *
 * @throws UserError for other files, and for files that are damaged, truncated or too large
 */
export function decodeImage(bytes: Uint8Array, name: string): Promise<Pixels> {
  return turns.run(() => decode(bytes, name));
}

async function decode(bytes: Uint8Array, name: string): Promise<Pixels> {
  const facts = readImageHeader(bytes);
  assertDecodable(name, bytes.length, facts);
  if (facts?.isDeepGrey) throw undecodable(name, 'a browser does not read grey of 16 bits as Python does');
  const blob = new Blob([bytes as BlobPart]);
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none' }).catch((error: Error) => {
    throw undecodable(name, error.message);
  });
  const { width, height } = bitmap;
  const data = new Uint8Array(width * height * 3);
  const rows = Math.max(1, Math.min(height, Math.floor(PIECE / width)));
  const context = new OffscreenCanvas(width, rows).getContext('2d', { willReadFrequently: true })!;
  context.fillStyle = 'white';
  for (let top = 0; top < height; top += rows) {
    context.fillRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -top);
    const { data: piece } = context.getImageData(0, 0, width, Math.min(rows, height - top));
    for (let from = 0, to = top * width * 3; from < piece.length; from += 4, to += 3) {
      data[to] = piece[from]!;
      data[to + 1] = piece[from + 1]!;
      data[to + 2] = piece[from + 2]!;
    }
  }
  bitmap.close();
  return { width, height, data };
}

/** The decoders of a page. */
export const DECODERS: Decoders = { image: decodeImage, audio: decodeSound };
