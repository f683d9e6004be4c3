import { readdirSync, readFileSync } from 'node:fs';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { Random } from '../../../support/random.ts';
import { readImageHeader } from './image-header.ts';

const files = new URL('./fixtures/files/', import.meta.url);

it.each(readdirSync(files))('reads the size of %s as its decoder does', async (name) => {
  const bytes = readFileSync(new URL(name, files));
  const { format, width, height } = await sharp(bytes).metadata();
  expect(readImageHeader(bytes)).toMatchObject({ format, width, height });
});

it('reads the size of every kind of WebP', async () => {
  const create = {
    width: 300,
    height: 77,
    channels: 4,
    background: { r: 1, g: 2, b: 3, alpha: 0.5 },
  } as const;
  const facts = { format: 'webp', width: 300, height: 77 };
  const image = sharp({ create });
  expect(readImageHeader(await image.clone().removeAlpha().webp().toBuffer())).toEqual(facts);
  expect(readImageHeader(await image.clone().webp().toBuffer())).toEqual(facts);
  expect(readImageHeader(await image.clone().webp({ lossless: true }).toBuffer())).toEqual(facts);
});

it('is undefined for other files, for files that end too early, and for noise', () => {
  const photo = readFileSync(new URL('photo.jpg', files));
  expect(readImageHeader(photo.subarray(0, 30))).toBeUndefined();
  expect(readImageHeader(new TextEncoder().encode('<svg width="9" height="9"/>'))).toBeUndefined();
  const random = new Random(3, 'noise');
  for (let i = 0; i < 200; i++) {
    const noise = Uint8Array.from({ length: 500 }, () => Math.floor(random.uniform() * 256));
    noise.set([0xff, 0xd8, 0xff]);
    expect(() => readImageHeader(noise)).not.toThrow();
  }
});
