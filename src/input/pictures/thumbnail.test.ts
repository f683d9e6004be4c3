import sharp from 'sharp';
import { expect, it } from 'vitest';
import { Random } from '../../support/random.ts';
import { MAX_THUMBNAIL, thumbnail } from './thumbnail.ts';

/** A picture whose pixels are functions of their place. */
function drawn(width: number, height: number, color: (x: number, y: number) => readonly number[]) {
  const data = Uint8Array.from(
    Array.from({ length: width * height }, (_, i) => color(i % width, Math.floor(i / width))).flat(),
  );
  return { width, height, data };
}

async function decoded(url: string) {
  const bytes = Buffer.from(url.replace('data:image/png;base64,', ''), 'base64');
  return sharp(bytes).raw().toBuffer({ resolveWithObject: true });
}

it('is a PNG file with the shape and the colors of the picture', async () => {
  const { data, info } = await decoded(thumbnail(drawn(256, 128, (x, y) => [x, y * 2, 255 - x])));
  expect(info).toMatchObject({ width: 64, height: 32, channels: 3 });
  // 256 colors for 2,048 different ones: each is a mean of about eight neighbors.
  for (const [x, y] of [
    [5, 3],
    [32, 16],
    [60, 30],
  ] as const) {
    const at = (y * 64 + x) * 3;
    const expected = [x * 4 + 1.5, y * 8 + 3, 253.5 - x * 4];
    expected.forEach((value, c) => expect(Math.abs(data[at + c]! - value)).toBeLessThan(16));
  }
});

it('keeps a small picture with few colors as it is', async () => {
  const picture = drawn(3, 2, (x, y) => [x * 100, y * 200, 7]);
  const { data } = await decoded(thumbnail(picture));
  expect(new Uint8Array(data)).toEqual(picture.data);
});

it('has a bounded length, also for noise and strips', async () => {
  const random = new Random(1, 'noise');
  const byte = () => Math.floor(random.uniform() * 256);
  const noise = thumbnail(drawn(224, 224, () => [byte(), byte(), byte()]));
  expect(noise.length).toBeLessThanOrEqual(MAX_THUMBNAIL);
  expect((await decoded(thumbnail(drawn(2000, 1, () => [1, 2, 3])))).info).toMatchObject({
    width: 64,
    height: 1,
  });
});
