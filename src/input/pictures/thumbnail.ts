import { crc32 } from '../../support/crc.ts';
import { largest, smallest } from '../../support/numbers.ts';
import type { Pixels } from './pixels.ts';
import { resize } from './resize.ts';

/** Longest side of a thumbnail. */
const SIDE = 64;
/** A palette of 2 ^ HALVINGS colors. */
const HALVINGS = 8;
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Color type of PNG: indices of a palette. */
const INDEXED = 3;

/** Maximum length of a thumbnail's URL: 64 x 64 indices and the palette, in base64. */
export const MAX_THUMBNAIL = 7000;

/**
 * A small version of a picture as the data URL of a PNG file, for reports that load nothing. The file has 256 colors and
 * is not compressed, which is smaller than compressed true color for photos.
 */
export function thumbnail(pixels: Pixels): string {
  const scale = Math.min(1, SIDE / Math.max(pixels.width, pixels.height));
  const side = (length: number) => Math.max(1, Math.round(length * scale));
  const small = resize(pixels, side(pixels.width), side(pixels.height), 'bilinear');
  const bytes = encodePng(small);
  return `data:image/png;base64,${btoa(String.fromCharCode(...bytes))}`;
}

function encodePng({ width, height, data }: Pixels): number[] {
  const { colors, indices } = palette(data);
  const rows = Array.from({ length: height }, (_, y) => [
    // No filter.
    0,
    ...indices.subarray(y * width, (y + 1) * width),
  ]).flat();
  return [
    ...SIGNATURE,
    ...chunk('IHDR', [...word(width), ...word(height), 8, INDEXED, 0, 0, 0]),
    ...chunk('PLTE', colors),
    ...chunk('IDAT', stored(rows)),
    ...chunk('IEND', []),
  ];
}

/** Chooses colors by median cut: the pixels are halved again and again, each time along the channel that varies most. */
function palette(data: Uint8Array): { colors: number[]; indices: Uint8Array } {
  let boxes = [Array.from({ length: data.length / 3 }, (_, pixel) => pixel)];
  const channel = (pixel: number, c: number) => data[pixel * 3 + c]!;
  const halves = (box: number[]): number[][] => {
    const ranges = [0, 1, 2].map((c) => {
      const values = box.map((pixel) => channel(pixel, c));
      return largest(values) - smallest(values);
    });
    const c = ranges.indexOf(largest(ranges));
    if (ranges[c] === 0) return [box];
    const sorted = [...box].sort((a, b) => channel(a, c) - channel(b, c));
    return [sorted.slice(0, sorted.length / 2), sorted.slice(sorted.length / 2)];
  };
  for (let i = 0; i < HALVINGS; i++) boxes = boxes.flatMap(halves);
  const indices = new Uint8Array(data.length / 3);
  const colors = boxes.flatMap((box, index) => {
    for (const pixel of box) indices[pixel] = index;
    return [0, 1, 2].map((c) =>
      Math.round(box.reduce((sum, pixel) => sum + channel(pixel, c), 0) / box.length),
    );
  });
  return { colors, indices };
}

/** Uncompressed data in zlib's format: a header, one stored block, and Adler-32. */
function stored(data: readonly number[]): number[] {
  const [low, high] = [data.length & 0xff, data.length >> 8];
  let [a, b] = [1, 0];
  for (const byte of data) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return [0x78, 0x01, 0x01, low, high, ~low & 0xff, ~high & 0xff, ...data, ...word(b * 65536 + a)];
}

function chunk(type: string, content: readonly number[]): number[] {
  const named = [...type].map((letter) => letter.charCodeAt(0));
  const body = [...named, ...content];
  return [...word(content.length), ...body, ...word(crc32(Uint8Array.from(body)))];
}

/** A number in four bytes, the highest first. */
function word(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
