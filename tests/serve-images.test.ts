import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import OpenAI from 'openai';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer } from '../src/faces/cli/commands/serve.ts';
import { serveApp } from '../src/faces/servers/serve/serve-app.ts';
import { ServerMetrics } from '../src/faces/servers/serve/server-metrics.ts';
import { disk } from '../src/input/formats/node/folder-files.ts';
import type { LabelScore } from '../src/tasks/prediction.ts';
import { AdapterFolders } from '../src/use/serving/adapter-folders.ts';
import type { EngineRun } from '../src/use/serving/engine-run.ts';
import { AdapterPlaces } from '../src/use/serving/find-adapters.ts';
import { readContent } from '../src/use/serving/served-adapter.ts';
import { BaseModel } from '../src/use/serving/served-base.ts';
import { LocalService } from '../src/use/serving/service/local-service.ts';
import { Serving } from '../src/use/serving/serving.ts';
import { models } from '../src/use/trained/node/load-model.ts';
import { open } from '../src/use/trained/node/open.ts';
import { writeMadeAdapter } from './support/made-adapter.ts';
import { newFolder } from './support/new-folder.ts';
import { writeTinyHead } from './support/tiny-head.ts';

const root = newFolder();
const base = join(root, 'base');
const adapters = join(root, 'adapters');
const data = { text: 'image', label: 'label', medium: 'image' };

/** Adapters by name: with the head of transformers, a layer on features, several labels, a score, and vectors. */
const MADE: Readonly<Record<string, Partial<Parameters<typeof writeMadeAdapter>[2]>>> = {
  two: { method: 'lora', labels: ['cat', 'dog'] },
  three: { method: 'adalora', labels: ['a', 'b', 'c'], rank: 2 },
  features: { method: 'lora', labels: ['x', 'y'], data: { ...data, pooling: 'cls' } },
  several: { task: 'multi_label_classification', labels: ['red', 'round'] },
  score: { task: 'regression', labels: [] },
  // It shares no batch with others.
  bias: { method: 'bitfit', labels: ['cat', 'dog'] },
  vectors: { task: 'sentence_embedding', labels: [], data: { text: 'image' } },
};
const NAMES = Object.keys(MADE);
const CLASSIFYING = NAMES.filter((name) => name !== 'vectors');
/** Sums of float32 products change their order in a batch with other rows. Logits here are near 1. */
const DIGITS = 4;

const runs: EngineRun[] = [];
let server: Server;
let url: string;
let service: LocalService;
let closeBase = () => {};
/** PNG files with gradients. */
let pictures: Buffer[];

beforeAll(async () => {
  writeTinyHead(base, 'vit', 'SEQ_CLS');
  for (const [i, [name, made]] of Object.entries(MADE).entries()) {
    mkdirSync(join(adapters, name), { recursive: true });
    const targets = ['q_proj', 'v_proj'];
    writeMadeAdapter(join(adapters, name), base, { data, targets, seed: i, ...made });
  }
  const opened = await BaseModel.open(models, base, 'float32');
  closeBase = () => opened.close();
  const limits = { maxRows: 16, maxQueued: 100, slots: 8 };
  const onBatch = (run: EngineRun) => void runs.push(run);
  const serving = new Serving(opened, {
    rows: { ...limits, maxTokens: 2048, maxWait: 100, batches: opened.batches, onBatch },
    decoding: limits,
  });
  const refused: unknown[] = [];
  const folders = new AdapterFolders(
    new AdapterPlaces(disk, [adapters]),
    opened,
    serving,
    (event) => {
      if (event.type === 'refused') refused.push(event);
    },
    (found) => readContent(found, opened),
  );
  await folders.readAll();
  expect(refused).toEqual([]);
  service = new LocalService(serving, folders);
  const { app } = serveApp(service, {
    metrics: new ServerMetrics(),
    allowLoading: false,
    maxBody: 200_000,
    maxRequests: 100,
    maxSeconds: 100,
    version: '0',
    log() {},
    onFault(error) {
      throw error;
    },
  });
  ({ server, url } = await startServer(app, '127.0.0.1', 0));
  pictures = await Promise.all([0, 1, 2].map(gradient));
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await service.close();
  closeBase();
});

function gradient(i: number): Promise<Buffer> {
  const pixels = Uint8Array.from({ length: 12 * 10 * 3 }, (_, at) => (at * (i * 13 + 7)) % 256);
  return sharp(pixels, { raw: { width: 12, height: 10, channels: 3 } })
    .png()
    .toBuffer();
}

async function post(path: string, body: FormData | object): Promise<{ status: number; body: never }> {
  const init = body instanceof FormData ? { body } : { body: JSON.stringify(body), headers: JSON_TYPE };
  const response = await fetch(url + path, { method: 'POST', ...init });
  return { status: response.status, body: (await response.json()) as never };
}
const JSON_TYPE = { 'content-type': 'application/json' };

function form(model: string, files: readonly Uint8Array[], fields: Record<string, string> = {}): FormData {
  const sent = new FormData();
  for (const [name, value] of Object.entries({ model, ...fields })) sent.set(name, value);
  for (const [i, file] of files.entries())
    sent.append('image', new Blob([new Uint8Array(file)]), `photo-${i}.png`);
  return sent;
}

/** The answers of an adapter that is opened alone. */
async function alone<Answer extends object>(name: string): Promise<Answer[]> {
  const opened = await open(join(adapters, name), { model: base });
  const answers: Answer[] = [];
  const inputs = pictures.map((image, i) => ({ text: `${i}`, image: new Uint8Array(image) }));
  for await (const answer of opened.predict<object, Answer>(inputs)) answers.push(answer);
  await opened.close();
  return answers;
}

const logitsOf = (answer: LabelScore[], labels: readonly string[]) =>
  labels.length === 0
    ? [answer[0]!.score]
    : labels.map((name) => answer.find(({ label }) => label === name)!.score);

describe('pictures', () => {
  it('of mixed adapters share batches and are answered as by each adapter alone', async () => {
    const before = runs.length;
    const asked = CLASSIFYING.map((model) => post('/predict', form(model, pictures, { raw_scores: 'true' })));
    for (const [i, { status, body }] of (await Promise.all(asked)).entries()) {
      expect(status).toBe(200);
      const name = CLASSIFYING[i]!;
      for (const [row, answer] of (await alone<{ logits?: Float32Array; value?: number }>(name)).entries()) {
        const wanted = answer.logits ?? [answer.value!];
        const found = logitsOf(body[row]!, MADE[name]!.labels!);
        found.forEach((logit, at) => expect(logit).toBeCloseTo(wanted[at]!, DIGITS));
      }
    }
    expect(Math.max(...runs.slice(before).map(({ adapters }) => adapters))).toBeGreaterThan(1);
  });

  it('are files of a form, and base64 in JSON', async () => {
    const [picture] = pictures as [Buffer];
    const base64 = picture.toString('base64');
    const { body: one } = await post('/predict', form('two', [picture]));
    expect(one).toHaveLength(2);
    const inText = new FormData();
    inText.set('model', 'two');
    inText.set('image', base64);
    const others = await Promise.all([
      post('/predict', inText),
      post('/predict', { model: 'two', inputs: base64 }),
      post('/predict', { model: 'two', inputs: `data:image/png;base64,${base64}` }),
      post('/predict', { model: 'two', inputs: { image: base64.replaceAll('+', '-').replaceAll('/', '_') } }),
      post('/predict', { model: 'two', inputs: { image: base64.replace(/.{40}/g, '$&\n') } }),
    ]);
    for (const { status, body } of others) expect({ status, body }).toEqual({ status: 200, body: one });
    const list = await post('/predict', { model: 'two', inputs: [{ image: base64 }, { image: base64 }] });
    expect(list.body).toEqual([one, one]);
  });

  it('have vectors, also for OpenAI clients', async () => {
    const wanted = (await alone<{ embedding: Float32Array }>('vectors')).map(({ embedding }) => embedding);
    const { body } = await post('/embed', form('vectors', pictures, { normalize: 'false' }));
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
    const input = pictures.map((file) => file.toString('base64'));
    const { data, usage } = await client.embeddings.create({ model: 'vectors', input });
    for (const [row, vector] of wanted.entries())
      for (const [i, value] of vector.entries()) {
        expect(body[row]![i]).toBeCloseTo(value, DIGITS);
        expect(data[row]!.embedding[i]).toBeCloseTo(value / Math.hypot(...vector), DIGITS);
      }
    // The class token and four patches.
    expect(usage.prompt_tokens).toBe(5 * pictures.length);
  });

  it('are what the model is listed to read, and the page has a field for files', async () => {
    const response = await fetch(`${url}/v1/models/two`);
    expect(await response.json()).toMatchObject({ id: 'two', input: 'image' });
    const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text();
    expect(page).toContain('<input id="file" type="file"');
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: Record<string, { post: { requestBody: { content: object } } }>;
    };
    for (const path of ['/predict', '/embed'])
      expect(Object.keys(paths[path]!.post.requestBody.content)).toContain('multipart/form-data');
  });
});

describe('a bad picture', () => {
  const BOMB = { width: 6000, height: 6000, channels: 3, background: 'white' } as const;

  it.each<[string, () => Promise<Uint8Array>, number, RegExp]>([
    ['truncated', async () => pictures[0]!.subarray(0, 100), 400, /photo-0\.png cannot be decoded/],
    ['of no known type', async () => Buffer.from('BM no picture'), 400, /photo-0\.png is not/],
    ['that is empty', async () => Buffer.alloc(0), 400, /photo-0\.png/],
    [
      'that is a document',
      async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      400,
      /photo-0\.png is not/,
    ],
    [
      'with too many pixels',
      () => sharp({ create: BOMB }).png({ compressionLevel: 9 }).toBuffer(),
      413,
      /photo-0\.png has 6000 x 6000 pixels, more than 25 million/,
    ],
    ['with too many bytes', async () => Buffer.alloc(200_001), 413, /more than 200000 bytes/],
  ])('%s is refused with a reason', async (_, make, status, message) => {
    const answer = await post('/predict', form('two', [await make()]));
    expect(answer).toMatchObject({
      status,
      body: { error: expect.stringMatching(message), error_type: 'validation' },
    });
  });

  it.each<[string, object, number, RegExp]>([
    [
      'an address',
      { inputs: 'https://example.com/cat.jpg' },
      400,
      /is an address, which the server does not open/,
    ],
    ['a file on the server', { inputs: 'file:///etc/passwd' }, 400, /is an address/],
    ['no base64', { inputs: { image: 'a cat.' } }, 400, /inputs\[0\] is no image in base64/],
    ['a pair', { inputs: [['a', 'b']] }, 400, /is a pair of texts/],
    ['too many', { inputs: Array(33).fill({ image: 'AAAA' }) }, 413, /more than the maximum of 32/],
  ])('sent as %s is refused with a reason', async (_, body, status, message) => {
    const answer = await post('/predict', { model: 'two', ...body });
    expect(answer).toMatchObject({ status, body: { error: expect.stringMatching(message) } });
  });

  it("has a code in OpenAI's format", async () => {
    const answer = await post('/v1/embeddings', { model: 'vectors', input: 'AAAA' });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_image' } } });
  });

  it('is not a damaged form, or one with other fields', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const damaged = await fetch(`${url}/predict`, { method: 'POST', headers, body: '--x\r\nno form' });
    expect(damaged.status).toBe(400);
    const stray = await post('/predict', form('two', pictures, { url: 'https://example.com/cat.jpg' }));
    expect(stray).toMatchObject({ status: 422, body: { error: '`url` is not supported.' } });
    const none = await post('/predict', form('two', []));
    expect(none).toMatchObject({ status: 400, body: { error: '`image` or `audio` must be a file.' } });
  });

  it('does not make the others fail', async () => {
    const [bad, good] = await Promise.all([
      post('/predict', form('two', [pictures[0]!.subarray(0, 100)])),
      post('/predict', form('three', [pictures[0]!])),
    ]);
    expect([bad!.status, good!.status]).toEqual([400, 200]);
  });
});
