import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { largestDifference } from '../scripts/conformance/compare.ts';
import { open, openSet } from '../src/faces/web/open.ts';
import { type TrainOptions, train } from '../src/faces/web/train.ts';
import { bytesAsSource } from '../src/input/formats/byte-source.ts';
import type { Files } from '../src/input/formats/files.ts';
import { train as trainInNode } from '../src/studies/jobs/node/train.ts';
import type { TextInput } from '../src/tasks/labeled/read-inputs.ts';
import type { ClassAnswer } from '../src/tasks/single-label-classification/definition.ts';
import type { TrainEvent } from '../src/training/run/events.ts';
import { newFolder } from './support/new-folder.ts';
import { tinyRows } from './support/tiny-data.ts';
import { writeTinyModel } from './support/tiny-model.ts';
import { trainHere } from './support/train-here.ts';

/** Ranks are final at step 10 of 16. */
const CONFIG = {
  defaults: 'huggingface' as const,
  data: { train: 'rows.tsv', validation: 'dev.tsv', text: 'sentence', label: 'label', max_length: 16 },
  training: { max_steps: 16, per_device_train_batch_size: 8, logging_steps: 1 },
  adalora: { target_r: 2, init_r: 3, tinit: 2, tfinal: 6, deltaT: 2 },
};

const root = newFolder();
// Each thread would compile the engine for itself.
afterAll(trainHere());
const folder = join(root, 'tiny');
let model: Map<string, Uint8Array>;
beforeAll(() => {
  writeTinyModel(folder);
  model = filesIn(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
});

function filesIn(folder: string): Map<string, Uint8Array> {
  return new Map(readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));
}

function rows(seed: number): string {
  const lines = tinyRows(40, seed).map(({ text, label }) => `${text}\t${label}`);
  return ['sentence\tlabel', ...lines].join('\n');
}

/** The same rows as objects. */
const table = (seed: number) => tinyRows(40, seed).map(({ text, label }) => ({ sentence: text, label }));

const files = { 'rows.tsv': rows(1), 'dev.tsv': rows(2) };

/** Data of runs whose scores no test reads. */
const UNSCORED = { ...CONFIG.data, validation: undefined };

function run(options: Partial<TrainOptions> = {}, config: object = CONFIG) {
  return train({ ...CONFIG, model: folder, ...config }, { files, model, threads: 1, ...options });
}

it.each<[string, Partial<TrainOptions>, object]>([
  ['config: `tusk` is not a known key', {}, { tusk: 1 }],
  [
    'data.train names "row.tsv", which is not a file of the page',
    {},
    { data: { ...CONFIG.data, train: 'row.tsv' } },
  ],
  ['/config.json does not exist', { model: new Map() }, {}],
])('reports that %s', async (message, options, config) => {
  await expect(run(options, config)).rejects.toThrow(message);
});

/** The checkpoints of the run that nothing stops. */
const stored: File[] = [];
let uninterrupted: ReturnType<typeof run> | undefined;

/** A run that nothing stops. Tests share it, because each takes a second. */
function wholeRun() {
  uninterrupted ??= run({ onCheckpoint: (file) => void stored.push(file), checkpointSeconds: 1000 });
  return uninterrupted;
}

/** The same run in Node. */
function runInNode(
  output: string,
  options: Parameters<typeof trainInNode>[1] = {},
  config: { data?: { validation: string | undefined } } = {},
) {
  const { validation } = config.data ?? CONFIG.data;
  const data = {
    ...CONFIG.data,
    train: join(root, 'rows.tsv'),
    validation: validation && join(root, validation),
  };
  return trainInNode({ ...CONFIG, ...config, data, model: folder, output, device: 'wasm' }, options);
}

/** Stops a run after some steps. A run in a thread waits for `onStepEnd`. */
function stopper(steps: number) {
  const controller = new AbortController();
  const onStepEnd = ({ step }: { step: number }) => {
    if (step === steps) controller.abort();
  };
  return { onStepEnd, signal: controller.signal };
}

let stopped: Promise<File[]> | undefined;

/** The checkpoint after some steps of a run that writes one after every step, and is stopped after the twelfth. */
async function checkpointAt(step: number): Promise<File> {
  stopped ??= (async () => {
    const checkpoints: File[] = [];
    const onCheckpoint = (file: File) => void checkpoints.push(file);
    const result = await run({ checkpointSeconds: 0, onCheckpoint, ...stopper(12) });
    expect(result).toMatchObject({ reason: 'stopped', step: 12 });
    return checkpoints;
  })();
  return (await stopped).findLast(({ name }) => name === `checkpoint-${step}.safetensors`)!;
}

it('a run in a page resumes from its checkpoint as if it had never stopped', async () => {
  const whole = await wholeRun();
  for (const step of [4, 12]) {
    const steps: number[] = [];
    const onEvent = (event: TrainEvent) => event.type === 'step' && steps.push(event.step);
    const resumed = await run({ resume: await checkpointAt(step), onEvent });
    expect(steps[0]).toBe(step + 1);
    expect(resumed.adapter!.get('adapter_model.safetensors')).toEqual(
      whole.adapter!.get('adapter_model.safetensors'),
    );
    expect(resumed).toMatchObject({ step: 16, ranks: whole.ranks, metrics: whole.metrics });
  }
});

it('a run that began in a page continues in Node, and the other way round, with the same files byte for byte', async () => {
  const whole = await wholeRun();
  const wholeInNode = join(root, 'whole');
  await runInNode(wholeInNode);
  const expected = filesIn(join(wholeInNode, 'adapter'));
  const bytes = (content: Uint8Array | string) => new Uint8Array(Buffer.from(content as string));
  const inPage = (result: typeof whole) =>
    new Map([...result.adapter!].map(([name, content]) => [name, bytes(content)]));
  expect(expected.size).toBe(3);
  for (const [name, content] of expected) expect(inPage(whole).get(name)).toEqual(content);

  const fromPage = join(root, 'from-page');
  const checkpoint = await checkpointAt(4);
  mkdirSync(join(fromPage, 'checkpoints'), { recursive: true });
  writeFileSync(
    join(fromPage, 'checkpoints', checkpoint.name),
    new Uint8Array(await checkpoint.arrayBuffer()),
  );
  const steps: number[] = [];
  const onEvent = (event: TrainEvent) => void (event.type === 'step' && steps.push(event.step));
  await runInNode(fromPage, { resume: true, onEvent });
  expect(steps[0]).toBe(5);
  expect(filesIn(join(fromPage, 'adapter'))).toEqual(expected);

  const stopped = join(root, 'stopped');
  await runInNode(stopped, stopper(4));
  const inNode = readFileSync(join(stopped, 'checkpoints', 'checkpoint-4.safetensors'));
  const resumed = await run({ resume: new Blob([inNode]) });
  for (const [name, content] of expected) expect(inPage(resumed).get(name)).toEqual(content);
});

it.each([
  ['houlsby', 'adapter', 'adapter.safetensors'],
  ['full', 'model', 'model.safetensors'],
] as const)('the files of %s equal those of Node, and a page opens them', async (method, kind, trained) => {
  const config = { method, data: UNSCORED, training: { ...CONFIG.training, max_steps: 2 } };
  const result = await run({}, config);
  const output = join(root, method);
  await runInNode(output, {}, config);
  const inNode = filesIn(join(output, kind));
  const files = result[kind]!;
  expect([...inNode.keys()]).toContain(trained);
  expect([...files.keys()].filter((name) => name !== 'README.md').sort()).toEqual([...inNode.keys()].sort());
  for (const [name, content] of inNode)
    expect(new Uint8Array(Buffer.from(files.get(name) as string)), name).toEqual(content);
  await using opened = await open(files, { model, threads: 1 });
  const answers: unknown[] = [];
  for await (const answer of opened.predict([{ text: 'a text' }])) answers.push(answer);
  expect(answers).toHaveLength(1);
});

it('trains on rows in memory, as Node does, and resumes them', async () => {
  const data = { ...CONFIG.data, train: table(1), validation: table(2) };
  const kept: File[] = [];
  const options = { files: {}, onCheckpoint: (file: File) => void kept.push(file) };
  const whole = await run(options, { data });
  const output = join(root, 'rows-in-node');
  await trainInNode({ ...CONFIG, data, model: folder, output, device: 'wasm' });
  const inNode = filesIn(join(output, 'adapter')).get('adapter_model.safetensors');
  expect(whole.adapter!.get('adapter_model.safetensors')).toEqual(inNode);
  const last = readdirSync(join(output, 'checkpoints')).at(-1)!;
  const resume = new Blob([readFileSync(join(output, 'checkpoints', last))]);
  expect((await run({ ...options, resume }, { data })).adapter).toEqual(whole.adapter);
});

it('stores the first step and the end by default, and the end returns the result again', async () => {
  const whole = await wholeRun();
  expect(stored).toHaveLength(2);
  const again = await run({ resume: stored[1] });
  expect(again.adapter).toEqual(whole.adapter);
  expect(again.metrics).toEqual(whole.metrics);
});

it('does not resume from a checkpoint of another run, or an invalid one', async () => {
  const checkpoint = await checkpointAt(4);
  await expect(run({ resume: checkpoint }, { seed: 1 })).rejects.toThrow(
    'checkpoint belongs to a run with another config, other files or another model',
  );
  const bytes = new Uint8Array(await checkpoint.arrayBuffer());
  await expect(run({ resume: bytes.slice(0, 1000) })).rejects.toThrow(/^checkpoint /);
  bytes[bytes.length - 1]! ^= 1;
  await expect(run({ resume: bytes })).rejects.toThrow(
    'checkpoint is damaged: its content has another checksum',
  );
});

it("ends with an error in the caller's functions, after a checkpoint, as in Node", async () => {
  const wrong = new Error('wrong');
  const short = { method: 'lora', data: UNSCORED, training: { ...CONFIG.training, max_steps: 3 } };
  for (const [key, fails] of [
    ['onStepEnd', () => Promise.reject(wrong)],
    ['onEvent', ({ type }: TrainEvent) => (type === 'step' ? Promise.reject(wrong) : undefined)],
  ] as const) {
    const kept: File[] = [];
    const options = {
      [key]: fails,
      onCheckpoint: (file: File) => void kept.push(file),
      checkpointSeconds: 0,
    };
    await expect(run(options, short), key).rejects.toBe(wrong);
    expect(kept.length, key).toBeGreaterThan(0);
    expect((await run({ resume: kept.at(-1) }, short)).step).toBe(3);
    const output = join(root, key);
    await expect(runInNode(output, { [key]: fails }, short), key).rejects.toBe(wrong);
    expect(readdirSync(join(output, 'checkpoints'))).not.toEqual([]);
  }
});

it('opens several adapters on one copy of the base, and switches and sums them', async () => {
  const runs = { a: await wholeRun(), b: await run({}, { adalora: undefined, lora: { r: 4 }, seed: 7 }) };
  const texts = tinyRows(6, 5).map(({ text }) => ({ text }));
  const logits = async (opened: Awaited<ReturnType<typeof open>>) =>
    (await opened.predict<TextInput, ClassAnswer>(texts)).flatMap(({ logits }) => [...logits]);
  const alone: Record<string, number[]> = {};
  for (const name of ['a', 'b'] as const) {
    const opened = await open(runs[name], { model, threads: 1 });
    alone[name] = await logits(opened);
    await opened.close();
  }
  let loads = 0;
  const counted: Files = {
    name: 'base',
    list: () => [...model.keys()],
    open(name) {
      loads += Number(name.endsWith('.safetensors'));
      return model.has(name) ? bytesAsSource(model.get(name)!, name) : undefined;
    },
  };
  const set = await openSet(runs, { model: counted, threads: 1 });
  const used = async (adapter: Parameters<typeof set.use>[0]) => {
    await set.use(adapter);
    return logits(set.model);
  };
  const first = await logits(set.model);
  // Sums of products in another order, in float32.
  const near = (values: number[], others: number[]) => largestDifference(values, others) < 1e-5;
  expect(near(first, alone.a!)).toBe(true);
  expect(near(await used('b'), alone.b!)).toBe(true);
  expect(near(await used({ a: 1 }), alone.a!)).toBe(true);
  const half = await used({ a: 0.5, b: 0.5 });
  expect(near(half, alone.a!) || near(half, alone.b!)).toBe(false);
  expect(loads).toBe(1);
  await expect(set.use('c')).rejects.toThrow('names no adapter: c');
  await set.model.close();
});

it('opens no model on the device cpu, which only Node has', async () => {
  const device = 'cpu' as 'wasm';
  await expect(open(model, { device })).rejects.toThrow(
    'open: device must be wasm or webgpu in a page, got cpu.',
  );
});

it('a run in a page resumes in the middle of a cross-validation as if its tab had never closed', async () => {
  const config = { data: { ...CONFIG.data, validation: '3 folds' } };
  /** Runs with the files that are stored so far, until one more than `most` files are stored. */
  const upTo = async (most: number, folds: ReadonlyMap<string, File>) => {
    const kept = new Map(folds);
    const [names, steps]: [string[], number[]] = [[], []];
    const controller = new AbortController();
    const result = await run(
      {
        folds,
        checkpointSeconds: 0,
        signal: controller.signal,
        onFolds(file) {
          if (names.length === most) return controller.abort();
          names.push(file.name);
          kept.set(file.name, file);
        },
        onEvent: (event) => void (event.type === 'step' && steps.push(event.step)),
      },
      config,
    );
    return { kept, names, result, steps };
  };
  const whole = await upTo(1000, new Map());
  const half = Math.floor(whole.names.length / 2);
  const first = await upTo(half, new Map());
  expect(first.result.reason).toBe('stopped');
  const second = await upTo(1000, first.kept);
  // The second run computes only the rest.
  expect(second.names.length).toBe(whole.names.length - half);
  expect(second.result).toMatchObject({ metrics: whole.result.metrics, verdict: whole.result.verdict });
  expect(second.result.adapter).toEqual(whole.result.adapter);
  // Files of another run, and damaged ones, are computed again.
  const damaged = new Map([...first.kept].map(([name]) => [name, new File(['x'], name)]));
  expect((await upTo(1000, damaged)).names).toEqual(whole.names);
});
