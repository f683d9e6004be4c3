import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ImageContent, ImageReader } from '../src/input/media/images/image-reader.ts';
import { decodeImage } from '../src/input/media/images/node/decode-image.ts';
import { ImageProcessor } from '../src/input/media/images/processor.ts';
import { Program } from '../src/program/program.ts';
import { THIS_NODE } from '../src/studies/jobs/node/machine.ts';
import { runInFolder } from '../src/studies/jobs/run-in-folder.ts';
import { parseRunConfig } from '../src/training/run/config/parse-run-config.ts';
import type { TrainEvent } from '../src/training/run/events.ts';
import { open } from '../src/use/trained/node/open.ts';
import { readSafetensors } from './support/safetensors-file.ts';
import { TINY_PROCESSOR, writeImageModel, writeImages } from './support/tiny-images.ts';

const scratch = mkdtempSync(join(tmpdir(), 'pictures-'));
const model = join(scratch, 'model');
const photos = join(scratch, 'photos');
const reader = new ImageReader(
  new ImageProcessor(TINY_PROCESSOR, 'preprocessor_config.json', 'vit'),
  decodeImage,
);

beforeAll(async () => {
  writeImageModel(model);
  await writeImages(photos);
  // The same picture again, as JPEG of high quality.
  await sharp(join(photos, 'red', '0.png'))
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .toFile(join(photos, 'red', 'again.jpg'));
});

async function train(settings: object): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  const config = parseRunConfig(settings, 'config.yaml');
  await runInFolder(THIS_NODE, config, {
    resume: false,
    onEvent: (event) => events.push(event),
    shouldStop: () => false,
  });
  return events;
}

const read = (image: Uint8Array) => reader.read(image, 'picture');

function pixelsOf(image: ImageContent): Float32Array {
  const values = new Float32Array(3 * 12 * 12);
  reader.write(image, values, 0);
  return values;
}

const base = (output: string) => ({
  model,
  output: join(scratch, output),
  data: { train: photos, text: 'image', label: 'label' },
});

describe('a folder of pictures', () => {
  it('trains a classifier on features, and its answers stay the same after opening', async () => {
    const events = await train({ ...base('features'), training: { max_steps: 4 } });
    expect(JSON.stringify(events)).toContain('nearly equal');
    expect(JSON.stringify(events)).toContain('a linear model of 16 x 16 pixels');
    expect(events.at(-1)).toMatchObject({ type: 'finish', confusion: { labels: ['blue', 'green', 'red'] } });
    const opened = await open(join(scratch, 'features'));
    const image = readFileSync(join(photos, 'blue', '3.png'));
    const answers = [];
    for await (const answer of opened.predict<object>([
      { text: '3.png', image },
      { text: 'again', image },
    ]))
      answers.push(answer);
    expect(answers).toHaveLength(2);
    expect(answers[0]!.label).toBe('blue');
    expect(answers[1]).toEqual(answers[0]);
    await opened.export('onnx', join(scratch, 'onnx'));
    await opened.close();

    const { AutoModelForImageClassification, Tensor } = await import('@huggingface/transformers');
    const theirs = await AutoModelForImageClassification.from_pretrained(join(scratch, 'onnx'), {
      local_files_only: true,
    });
    const { logits } = await theirs({
      pixel_values: new Tensor('float32', pixelsOf(await read(image)), [1, 3, 12, 12]),
    });
    const ours = answers[0]!.logits;
    const largest = Math.max(...ours.map(Math.abs));
    // The layer's sums are in float32 there, and in float64 here.
    for (const [i, value] of logits.tolist()[0].entries())
      expect(Math.abs(value - ours[i]!)).toBeLessThan(1e-5 * largest);
  });

  it('trains the head of transformers with augmented pictures', async () => {
    const { data, ...rest } = base('head');
    await train({
      ...rest,
      data: { ...data, pooling: 'none', augment: 'light', validation: '25%' },
      training: { max_steps: 4, eval_strategy: 'epoch', floor: false },
    });
    // PEFT's classes for task types pass the inputs of texts.
    const adapter = JSON.parse(readFileSync(join(scratch, 'head', 'adapter', 'adapter_config.json'), 'utf8'));
    expect(adapter.task_type).toBeNull();
    const opened = await open(join(scratch, 'head'));
    await opened.merge(join(scratch, 'merged'));
    await opened.close();
    const merged = JSON.parse(readFileSync(join(scratch, 'merged', 'config.json'), 'utf8'));
    expect(merged.architectures).toEqual(['Dinov2ForImageClassification']);
    readFileSync(join(scratch, 'merged', 'preprocessor_config.json'));
  });

  it('gives vectors of a base model', async () => {
    const opened = await open(model, { embeds: true });
    const image = readFileSync(join(photos, 'red', '1.png'));
    const vectors = [];
    for await (const answer of opened.predict<object, { embedding: Float32Array }>([{ text: 'a', image }]))
      vectors.push(answer.embedding);
    expect(vectors[0]).toHaveLength(32);
    await opened.close();
  });

  it('reports pictures that cannot be read, or skips them', async () => {
    writeFileSync(join(photos, 'red', 'broken.png'), 'no picture');
    await expect(train({ ...base('broken'), training: { max_steps: 4 } })).rejects.toThrow(
      'broken.png is not',
    );
    const { data, ...rest } = base('skipped');
    const messages = await train({
      ...rest,
      data: { ...data, on_bad_row: 'skip' },
      training: { max_steps: 4 },
    });
    expect(JSON.stringify(messages)).toContain('1 row is skipped');
  });
});

/** Written by scripts/oracle/picture_adapters.py. */
describe('an adapter that PEFT wrote', () => {
  it.each([
    ['vit-lora', 'vit-pictures'],
    ['dinov2-adalora', 'dinov2-pictures'],
  ])('%s gives the same logits', async (name, base) => {
    const folder = join(scratch, base);
    cpSync(`src/models/fixtures/models/${base}`, folder, { recursive: true });
    const batch = readSafetensors(join(folder, 'batch.safetensors')).get('pixel_values')!;
    const [count, , height, width] = batch.shape as [number, number, number, number];
    const settings = { image_processor_type: 'ViTImageProcessor', size: { height, width } };
    writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(settings));
    const adapter = `src/methods/tuners/fixtures/pictures/${name}`;
    const opened = await open(adapter, { model: folder });
    const { model, tuner, values, engine } = opened.parts;
    const program = new Program(engine, model, tuner);
    const dims = [count, 3, height, width];
    const logits = await program.predict(values, {
      pixel_values: { data: batch.data as Float32Array, dims },
    });
    await program.release();
    await opened.close();
    const expected = readSafetensors(join(adapter, 'expected.safetensors')).get('logits')!
      .data as Float32Array;
    // float32 in another order of sums.
    expected.forEach((value, i) => expect(Math.abs(logits[i]! - value)).toBeLessThan(1e-4));
  });
});
