import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { NO_DECODERS } from '../../../input/media/media.ts';
import type { Contents } from '../../../program/modalities/contents.ts';
import { IMAGE_MODEL } from '../../../program/modalities/contents.ts';
import { SentFiles } from './sent-files.ts';

const fixtures = new URL('../../../input/media/images/fixtures/files/', import.meta.url);
const png = readFileSync(new URL('rgb.png', fixtures));
const decode = vi.fn(async () => ({ width: 1, height: 1, data: new Uint8Array(3) }));
const config = { maxLength: 5 } as Parameters<typeof IMAGE_MODEL.modality>[0];
const images = IMAGE_MODEL.modality(config, { size: 4 }, 'preprocessor_config.json', 'vit', {
  ...NO_DECODERS,
  image: decode,
});
const read = (...texts: string[]) =>
  new SentFiles().read(
    texts.map((text) => ({ text })),
    images as Contents,
  );

it('reads a file in base64, also with line breaks and as a data URL', async () => {
  const base64 = png.toString('base64');
  const lines = base64.replace(/.{76}/g, '$&\r\n');
  await read(base64, lines, `data:image/png;base64,${png.toString('base64url')}`);
  for (const [bytes] of decode.mock.calls as unknown as [Uint8Array][]) expect(png.equals(bytes)).toBe(true);
});

it('decodes only the start of a text that is no image', async () => {
  decode.mockClear();
  // The reader gets the head alone, and its decoder rejects it.
  await read('A'.repeat(31_000_000));
  expect((decode.mock.calls as unknown as [Uint8Array][])[0]![0].length).toBeLessThan(100);
});

it('bounds the pixels of a request before anything is decoded', async () => {
  decode.mockClear();
  const large = Uint8Array.from(png);
  new DataView(large.buffer).setUint32(16, 5000);
  new DataView(large.buffer).setUint32(20, 5000);
  const text = Buffer.from(large).toString('base64');
  await expect(read(text, text, text, text, text)).rejects.toThrow('inputs have 125000000 pixels');
  expect(decode).not.toHaveBeenCalled();
});
