import { expect, it } from 'vitest';
import { MAX_PREVIEW } from '../medium.ts';
import { thumbnail } from './thumbnail.ts';

it('is a BMP file with the colors of the image', () => {
  const url = thumbnail({ width: 3, height: 2, data: Uint8Array.from({ length: 18 }, (_, i) => i) });
  const bytes = Buffer.from(url.replace('data:image/bmp;base64,', ''), 'base64');
  // As Pillow writes this image with BMP's rows from the top.
  expect(bytes.toString('latin1', 0, 2)).toBe('BM');
  expect([bytes.readUInt32LE(2), bytes.readInt32LE(18), bytes.readInt32LE(22)]).toEqual([78, 3, -2]);
  expect([...bytes.subarray(54)]).toEqual([
    ...[2, 1, 0, 5, 4, 3, 8, 7, 6, 0, 0, 0],
    ...[11, 10, 9, 14, 13, 12, 17, 16, 15, 0, 0, 0],
  ]);
});

it.each([
  [224, 224],
  [2000, 1],
])('has a bounded length for %i x %i pixels', (width, height) => {
  const url = thumbnail({ width, height, data: new Uint8Array(width * height * 3).fill(255) });
  expect(url.length).toBeLessThanOrEqual(MAX_PREVIEW);
});
