import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { localData } from '../src/input/data/node/text-files.ts';
import { THIS_NODE } from '../src/studies/jobs/node/machine.ts';
import { runInFolder } from '../src/studies/jobs/run-in-folder.ts';
import { parseRunConfig } from '../src/training/run/config/parse-run-config.ts';
import type { TrainEvent } from '../src/training/run/events.ts';
import { open } from '../src/use/trained/node/open.ts';
import { jsonLines, newWorkspace, succeeds } from './support/commands.ts';
import { type HubServer, startHubServer } from './support/hub-server.ts';

/* Sources of rows with pictures other than a folder per class, and targets other than a class. */

const workspace = newWorkspace();
const model = workspace.path('vision');
const photos = workspace.path('photos');
const PARQUET = resolve('src/input/data/parquet/fixtures/images.parquet');
const PROCESSOR = {
  image_processor_type: 'BitImageProcessor',
  resample: 3,
  rescale_factor: 1 / 255,
  do_resize: true,
  do_center_crop: true,
  do_rescale: true,
  do_normalize: true,
  do_convert_rgb: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  size: { shortest_edge: 14 },
  crop_size: { height: 12, width: 12 },
};
const NAMES = Array.from({ length: 12 }, (_, i) => `${i}.png`);

beforeAll(async () => {
  cpSync('src/models/fixtures/models/dinov2-pictures', model, { recursive: true });
  writeFileSync(join(model, 'preprocessor_config.json'), JSON.stringify(PROCESSOR));
  mkdirSync(photos);
  for (const [i, name] of NAMES.entries()) {
    // Red pictures with even numbers, blue ones with odd numbers; the higher the number, the lighter.
    const light = 60 + 16 * i;
    const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, at) =>
      at % 3 === (i % 2) * 2 ? light + (at % 5) : (at * 7) % 40,
    );
    await sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } })
      .png()
      .toFile(join(photos, name));
  }
});
let server: HubServer | undefined;
afterAll(async () => {
  vi.unstubAllEnvs();
  await server?.close();
});

/** Chosen defaults open several times as many graphs. */
const PLAIN = { defaults: 'huggingface', method: 'lora' };

/** Trains for some steps, with plain LoRA unless the settings say otherwise. Returns the run's folder and its events. */
async function train(name: string, settings: object): Promise<{ folder: string; events: TrainEvent[] }> {
  const events: TrainEvent[] = [];
  const folder = workspace.path('runs', name);
  const training = { max_steps: 6, learning_rate: 0.01 };
  const config = parseRunConfig({ ...PLAIN, model, output: folder, training, ...settings }, 'config.yaml');
  await runInFolder(THIS_NODE, config, {
    resume: false,
    onEvent: (event) => events.push(event),
    shouldStop: () => false,
  });
  return { folder, events };
}

async function answersOf<Answer extends object>(folder: string): Promise<Answer[]> {
  const opened = await open(folder);
  const inputs = NAMES.map((text) => ({ text, image: new Uint8Array(readFileSync(join(photos, text))) }));
  const answers: Answer[] = [];
  for await (const answer of opened.predict<object, Answer>(inputs)) answers.push(answer);
  await opened.close();
  return answers;
}

function table(name: string, rows: readonly object[]): string {
  const path = join(photos, name);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

describe('parquet with the bytes of pictures', () => {
  const columns = { text: 'image', label: 'label', on_bad_row: 'skip' };

  it('is trained on, with the class names of its metadata', async () => {
    const { folder, events } = await train('parquet', {
      defaults: 'chosen',
      method: 'adalora',
      data: { train: PARQUET, ...columns },
    });
    const opened = await open(folder);
    expect(opened.labels).toEqual(['blue', 'red']);
    await opened.close();
    // The damaged picture, and the one without bytes.
    expect(JSON.stringify(events)).toContain('2 rows are skipped');
  });

  it('names the rows with pictures that cannot be read', async () => {
    const data = { train: PARQUET, ...columns, on_bad_row: 'error' };
    await expect(train('damaged', { data })).rejects.toThrow(
      /:9 names a file that cannot be read: d\.png .* The same in 2 rows: lines 9, 10/,
    );
  });

  it('names no files outside its folder', async () => {
    const [file] = await localData.at(PARQUET, false);
    await expect(file!.openContent!('/beside.png')).rejects.toThrow('/beside.png leads out of the folder of');
    await expect(file!.openContent!('../../data.test.ts')).rejects.toThrow('leads out of the folder');
  });

  it('needs a model of pictures for its column of pictures alone', async () => {
    const settings = { model: workspace.path('model'), data: { train: PARQUET, ...columns } };
    await expect(train('texts', settings)).rejects.toThrow('has images, but the model reads texts');
    await train('captions', { ...settings, data: { ...settings.data, text: 'caption' } });
  });

  it('is a dataset of the Hub', async () => {
    const content = readFileSync(PARQUET);
    const files = {
      'data/train-00000-of-00001.parquet': content,
      'data/test-00000-of-00001.parquet': content,
    };
    server = await startHubServer({ name: 'me/pets', type: 'dataset', commit: 'c'.repeat(40), files });
    vi.stubEnv('HF_ENDPOINT', server.endpoint);
    vi.stubEnv('HF_HUB_CACHE', workspace.path('hub'));
    vi.stubEnv('HF_HUB_OFFLINE', '');
    const data = { dataset: 'me/pets', train: 'train', validation: 'test', ...columns };
    const { folder, events } = await train('hub', { data });
    expect(events.some(({ type }) => type === 'evaluation')).toBe(true);
    const opened = await open(folder);
    expect(opened.labels).toEqual(['blue', 'red']);
    await opened.close();
  });
});

describe('a picture', () => {
  it('has a class', async () => {
    const rows = NAMES.map((file_name, i) => ({ file_name, color: i % 2 ? 'blue' : 'red' }));
    const data = { train: table('classes.jsonl', rows), text: 'file_name', label: 'color' };
    const { folder } = await train('classes', { data });
    const labels = (await answersOf<{ label: string }>(folder)).map(({ label }) => label);
    expect(labels).toEqual(rows.map(({ color }) => color));
  });

  it('has several labels', async () => {
    const rows = NAMES.map((file_name, i) => ({
      file_name,
      tags: [i % 2 ? 'blue' : 'red', ...(i > 5 ? ['light'] : [])],
    }));
    const data = { train: table('tags.jsonl', rows), text: 'file_name', label: 'tags' };
    const { folder } = await train('tags', { task: 'multi_label_classification', data });
    const answers = await answersOf<{ probabilities: Record<string, number> }>(folder);
    expect(Object.keys(answers[0]!.probabilities).sort()).toEqual(['blue', 'light', 'red']);
  });

  it('has a score', async () => {
    const rows = NAMES.map((file_name, i) => ({ file_name, score: i / 2 }));
    const data = { train: table('scores.jsonl', rows), text: 'file_name', label: 'score' };
    const { folder } = await train('scores', { task: 'regression', data });
    const values = (await answersOf<{ label: number }>(folder)).map(({ label }) => label);
    // The linear layer is fitted to the features, so the scores come out in order.
    expect(values.at(-1)!).toBeGreaterThan(values[0]!);
  });

  it.each([
    ['class', { text: 'file_name', label: 'color' }],
    ['another picture', { anchor: 'file_name', positive: 'other' }],
  ])('has a vector that is trained by its %s', async (name, columns) => {
    const rows = NAMES.map((file_name, i) => ({
      file_name,
      color: i % 2 ? 'blue' : 'red',
      other: NAMES[(i + 2) % NAMES.length],
    }));
    const path = table(`${name}.jsonl`, rows);
    const data = { train: path, validation: path, ...columns };
    const training = { max_steps: 3, eval_strategy: 'epoch', per_device_train_batch_size: 4 };
    const settings = { task: 'sentence_embedding', data, training };
    const { folder, events } = await train(`vectors-${name}`, settings);
    expect(events.some(({ type }) => type === 'evaluation')).toBe(true);
    const vectors = await answersOf<{ embedding: Float32Array }>(folder);
    expect(vectors[0]!.embedding).toHaveLength(32);
    expect(vectors[0]!.embedding).not.toEqual(vectors[1]!.embedding);
  });

  it('has the same class and vector in the pipelines of transformers.js', async () => {
    const { pipeline, RawImage } = await import('@huggingface/transformers');
    // A picture that needs no resizing, because transformers.js resizes otherwise.
    const pixels = Uint8Array.from({ length: 14 * 14 * 3 }, (_, at) => (at * 37) % 256);
    const image = await sharp(pixels, { raw: { width: 14, height: 14, channels: 3 } })
      .png()
      .toBuffer();
    const raw = new RawImage(new Uint8ClampedArray(pixels), 14, 14, 3);
    const options = { dtype: 'fp32', local_files_only: true } as const;
    const answered = async (name: string) => {
      const opened = await open(workspace.path('runs', name));
      const [answer] = await opened.predict<object, Record<string, Record<string, number>>>([
        { text: 'x', image: new Uint8Array(image) },
      ]);
      await opened.export('onnx', workspace.path('onnx', name));
      await opened.close();
      return answer as unknown as Record<string, Record<string, number>>;
    };

    const { probabilities } = await answered('classes');
    const classify = await pipeline('image-classification', workspace.path('onnx', 'classes'), options);
    for (const { label, score } of (await classify(raw)) as { label: string; score: number }[])
      expect(score).toBeCloseTo(probabilities![label]!, 5);

    const { embedding } = await answered('vectors-class');
    const extract = await pipeline(
      'image-feature-extraction',
      workspace.path('onnx', 'vectors-class'),
      options,
    );
    // The vector has the class token and the mean of the patches.
    const [[token, ...patches]] = (await extract(raw)).tolist() as [[number[], ...number[][]]];
    const mean = token.map((_, i) => patches.reduce((sum, patch) => sum + patch[i]!, 0) / patches.length);
    for (const [i, value] of [...token, ...mean].entries()) expect(value).toBeCloseTo(embedding![i]!, 5);
  });

  it('needs a model: the command names some', async () => {
    const snapshot = join('cache', 'models--me--vision', 'snapshots', 'c'.repeat(40));
    cpSync(model, workspace.path(snapshot), { recursive: true });
    mkdirSync(workspace.path('cache', 'models--me--vision', 'refs'));
    writeFileSync(workspace.path('cache', 'models--me--vision', 'refs', 'main'), 'c'.repeat(40));
    const run = await workspace.run('train', 'photos/classes.jsonl');
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(
      /--model facebook\/dinov2-small\n {4}22 million parameters, 88 MB to download/,
    );
    // Nothing is written that a second command would find.
    expect(existsSync(workspace.path('classes.yaml'))).toBe(false);
    const again = await workspace.run(
      ...['train', 'photos/classes.jsonl', '--model', 'me/vision', '--set', 'training.max_steps=2'],
      ...['--test', 'photos/classes.jsonl'],
    );
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('Scores on photos/classes.jsonl:');
    // The scores are kept in the log, the card and the report.
    const [, output] = /The run is in (\S+)/.exec(again.stdout)!;
    const event = JSON.parse(
      readFileSync(workspace.path(output!, 'metrics.jsonl'), 'utf8').trim().split('\n').at(-1)!,
    );
    const accuracy = event.metrics.eval_accuracy;
    expect(event).toMatchObject({ type: 'test', file: 'photos/classes.jsonl' });
    expect(readFileSync(workspace.path(output!, 'README.md'), 'utf8')).toMatch(
      new RegExp(`## Test\\n[^#]*\\| Accuracy \\| ${Number(accuracy.toFixed(4))} \\|`),
    );
    await succeeds(workspace.run('report', output!, '-o', 'report.html'));
    expect(readFileSync(workspace.path('report.html'), 'utf8')).toMatch(
      new RegExp(`Accuracy on classes</th><td>${accuracy.toFixed(3)}`),
    );
  });

  it('is found by another one, in a folder', async () => {
    const run = await workspace.run('embed', 'vision', 'photos', '--nearest', 'photos/4.png');
    expect(run).toMatchObject({ code: 0, stderr: '' });
    const found = jsonLines(run.stdout);
    expect(found).toHaveLength(10);
    expect(found[0]).toEqual({ row: expect.any(Number), text: 'photos/4.png', score: 1 });
    expect(found[1]!.score).toBeGreaterThanOrEqual(found[2]!.score);
    const one = await workspace.run('embed', 'vision', 'photos/4.png');
    expect(JSON.parse(one.stdout).embedding).toHaveLength(32);
  });
});
