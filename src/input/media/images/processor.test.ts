import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { largestDifference } from '../../../../scripts/conformance/compare.ts';
import { UserError } from '../../../support/user-error.ts';
import { ImageReader } from './image-reader.ts';
import { decodeImage } from './node/decode-image.ts';
import { ImageProcessor } from './processor.ts';
import { RESAMPLINGS, resize, resizeInSteps } from './resize.ts';

/** Written by scripts/oracle/pictures.py. */
const fixtures = new URL('./fixtures/', import.meta.url);

interface Golden {
  decoded: Record<string, { size: [number, number]; sha256: string; pixels?: number[] }>;
  resized: { file: string; size: [number, number]; resample: number; sha256: string }[];
  processed: {
    name: string;
    file: string;
    config: object;
    model_type?: string;
    shape: number[];
    sha256: string;
  }[];
}

const golden = JSON.parse(readFileSync(new URL('golden.json', fixtures), 'utf8')) as Golden;
const fileOf = (name: string) => readFileSync(new URL(`files/${name}`, fixtures));
const decode = (name: string) => decodeImage(fileOf(name), name);
const digest = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

describe('decoding equals Pillow', () => {
  it.each(Object.entries(golden.decoded))('for %s', async (name, { size, sha256, pixels }) => {
    const { width, height, data } = await decode(name);
    expect([width, height]).toEqual(size);
    if (!pixels) return expect(digest(data)).toBe(sha256);
    // The decoders of JPEG round the inverse cosine transform differently.
    return expect(largestDifference(data, pixels)).toBeLessThanOrEqual(1);
  });
});

it.each(golden.resized)('resizes $file to $size with filter $resample as Pillow', async (one) => {
  const resized = resize(await decode(one.file), ...one.size, RESAMPLINGS[one.resample]!);
  expect(digest(resized.data)).toBe(one.sha256);
});

it.each(golden.processed)('processes $file as the processor $name of transformers', async (one) => {
  const processor = new ImageProcessor(one.config, 'preprocessor_config.json', one.model_type ?? 'vit');
  const resized = await processor.resized(await decode(one.file), one.file);
  const { height, width } = processor.input;
  expect([3, height, width]).toEqual(one.shape);
  const values = new Float32Array(3 * height * width);
  processor.write(processor.center(resized), values, 0);
  expect(digest(new Uint8Array(values.buffer))).toBe(one.sha256);
});

describe('files that are no images', () => {
  const failure = async (bytes: Uint8Array) => {
    const error = await decodeImage(bytes, 'x.png').catch((error: unknown) => error);
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  };

  it.each(['rgb.png', 'photo.jpg', 'lossless.webp'])('are truncated ones such as %s', async (name) => {
    const whole = fileOf(name);
    expect(await failure(whole.subarray(0, whole.length / 2))).toMatch(/^x\.png cannot be decoded/);
  });

  it('are texts and vector graphics', async () => {
    expect(await failure(new TextEncoder().encode('an image'))).toMatch(/^x\.png is not a JPEG/);
    const drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
    expect(await failure(new TextEncoder().encode(drawing))).toContain(
      'is not a JPEG, PNG, WebP or GIF file',
    );
  });

  it('are large ones of one color', async () => {
    const { default: sharp } = await import('sharp');
    const create = { width: 8000, height: 4000, channels: 3, background: 'white' } as const;
    const bytes = await sharp({ create }).png({ palette: true, colors: 2 }).toBuffer();
    expect(bytes.length).toBeLessThan(100_000);
    expect(await failure(bytes)).toMatch(/8000 x 4000 pixels in \d+ bytes, which would fill the memory/);
  });

  it('are files that would fill the memory', async () => {
    const bomb = Uint8Array.from(fileOf('rgb.png'));
    // The width and height in the header, whose checksum the message does not depend on.
    new DataView(bomb.buffer).setUint32(16, 60_000);
    new DataView(bomb.buffer).setUint32(20, 60_000);
    const { crc32 } = await import('node:zlib');
    new DataView(bomb.buffer).setUint32(29, crc32(bomb.subarray(12, 29)));
    expect(await failure(bomb)).toBe(
      'x.png has 60000 x 60000 pixels, more than 100 million. Make it smaller, or remove it.',
    );
  });
});

describe('a preprocessor_config.json', () => {
  const processor = (json: object) => new ImageProcessor(json, 'preprocessor_config.json', 'vit');

  it.each([
    [
      { image_processor_type: 'ViTImageProcessor', size: 224 },
      { height: 224, width: 224 },
    ],
    [
      { image_processor_type: 'CLIPFeatureExtractor', size: 336, crop_size: 300 },
      { height: 300, width: 300 },
    ],
    [{ feature_extractor_type: 'ViTFeatureExtractor' }, { height: 224, width: 224 }],
    [
      { image_processor_type: 'SiglipImageProcessorFast', size: { height: 8, width: 9 } },
      { height: 8, width: 9 },
    ],
  ])('%j has an input of its size', (json, input) => {
    expect(processor(json).input).toEqual(input);
  });

  it.each([
    [{ image_processor_type: 'DonutImageProcessor' }, 'must be one of ViTImageProcessor'],
    [
      { image_processor_type: 'BitImageProcessor', do_center_crop: false },
      'leaves images with different sizes',
    ],
    [{ size: { height: 1e9, width: 1 } }, 'does not describe an image processor'],
    [{ image_processor_type: 'SiglipImageProcessor', size: 384 }, 'leaves images with different sizes'],
    [{ do_pad: true }, 'preprocessor_config.json: `do_pad` may change the pixels'],
    [{ crop_pct: 0.9 }, '`crop_pct` may change the pixels'],
  ])('%j is an error', (json, message) => {
    expect(() => processor(json)).toThrow(message);
  });

  it('does not decode a strip that would be resized beyond memory', async () => {
    const clip = processor({ image_processor_type: 'CLIPImageProcessor' });
    const decode = vi.fn();
    const read = new ImageReader(clip, decode).read(fileOf('strip.png'), 'strip.png');
    await expect(read).rejects.toThrow('strip.png is a strip of 20000 x 1 pixels');
    expect(decode).not.toHaveBeenCalled();
  });
});

it('resizes in steps, between which the thread does other work', async () => {
  const large = { width: 2000, height: 2000, data: new Uint8Array(12e6) };
  let turns = 0;
  const timer = setInterval(() => turns++);
  await resizeInSteps(large, 224, 224, 'bicubic');
  clearInterval(timer);
  // 12 MB in steps of 1 MB; a timer that is due may wait for the next one.
  expect(turns).toBeGreaterThan(4);
});
