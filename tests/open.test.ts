import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BaseDtype } from '../src/program/bases/base-dtype.ts';
import type { ClassAnswer } from '../src/tasks/single-label-classification/definition.ts';
import { open as openHere } from '../src/use/trained/node/open.ts';
import { openInThread as open } from '../src/use/trained/node/open-in-thread.ts';
import type { ModelInThread } from '../src/use/trained/thread/model-in-thread.ts';
import { newWorkspace, succeeds } from './support/commands.ts';
import { tinyRows } from './support/tiny-data.ts';

const workspace = newWorkspace({ ADALORA_CACHE: 'bases' });
/** The run, opened once: a thread of its own loads the program again. */
let opened: ModelInThread;
let cacheBefore: string | undefined;
beforeAll(async () => {
  cacheBefore = process.env.ADALORA_CACHE;
  process.env.ADALORA_CACHE = workspace.path('bases');
  await succeeds(workspace.train('output=run'));
  await succeeds(workspace.train('output=full', 'method=full', 'training.learning_rate=1e-3'));
  await succeeds(workspace.run('export', 'run', '--as', 'merged', '-o', 'merged'));
  opened = await open(workspace.path('run'), { model: workspace.path('model') });
});
afterAll(async () => {
  await opened?.close();
  if (cacheBefore === undefined) delete process.env.ADALORA_CACHE;
  else process.env.ADALORA_CACHE = cacheBefore;
});

const PAIR = { text_pair: 'pair' };
const ROWS = tinyRows(48, 2);

const known = new Map<string, Promise<ClassAnswer[]>>();

/** The answers for all rows, computed once for each model and precision. */
function answersOf(path: string, baseDtype: BaseDtype): Promise<ClassAnswer[]> {
  const key = `${path} ${baseDtype}`;
  if (!known.has(key)) known.set(key, answersNow(path, baseDtype));
  return known.get(key)!;
}

async function answersNow(path: string, baseDtype: BaseDtype): Promise<ClassAnswer[]> {
  await using model = await open(workspace.path(path), { baseDtype, model: workspace.path('model') });
  const found: ClassAnswer[] = [];
  const inputs = ROWS.map(({ text }) => ({ text }));
  for await (const answer of model.predict<{ text: string }, ClassAnswer>(inputs)) found.push(answer);
  return found;
}

const differences = (a: ClassAnswer[], b: ClassAnswer[]) =>
  a.flatMap(({ logits }, row) => [...logits].map((logit, i) => Math.abs(logit - b[row]!.logits[i]!)));

describe('inputs of a program', () => {
  it.each<[string, object | undefined, unknown, string]>([
    ['a text that is none', {}, { text: 5 }, 'needs a string in "text", got a number'],
    [
      'a pair',
      {},
      { text: 'a', text_pair: 'b' },
      'must have no "text_pair", because its run is on single texts',
    ],
    [
      'half a pair',
      PAIR,
      { text: 'a' },
      'needs a string in "text_pair", got nothing, because its run is on pairs of texts',
    ],
    ['a text alone', PAIR, 'a text', 'must be an object { text, text_pair }, got "a text"'],
    ['nothing', {}, null, 'must be an object { text }, got null'],
    ['a key of the file', {}, { sentence: 'a' }, 'has the unknown key "sentence"'],
    [
      'a key of an earlier version',
      PAIR,
      { text: 'a', textPair: 'b' },
      'has the unknown key "textPair". Did you mean text_pair',
    ],
  ])('are rejected by their number: %s', async (_, reading, input, message) => {
    const good = { text: 'a cat', ...(reading === PAIR && { text_pair: 'a dog' }) };
    const answers = opened.predict([good, input as { text: string }], { reading });
    await expect(answers.next()).rejects.toThrow(`Input 2 ${message}`);
    await expect(answers.next()).resolves.toMatchObject({ done: true });
  });

  it('may be plain texts: one has one answer, several are awaited or iterated', async () => {
    const one = await opened.predict('a cat');
    const [first, second] = await opened.predict(['a cat', { text: 'a dog' }]);
    // Other texts in a batch change the order of float32 sums.
    expect(first!.label).toBe(one.label);
    for (const [i, logit] of one.logits.entries()) expect(first!.logits[i]).toBeCloseTo(logit, 5);
    expect(Object.keys(second!)).toEqual(Object.keys(one));
    const iterated: ClassAnswer[] = [];
    for await (const answer of opened.predict(['a cat'])) iterated.push(answer);
    expect(iterated).toEqual([one]);
  });

  it('must be a list', async () => {
    const answers = opened.predict({ text: 'a' } as unknown as { text: string }[]);
    await expect(answers.next()).rejects.toThrow('inputs must be a list, got {"text":"a"}');
  });
});

it('opens a model of the task that a program names, and no other', async () => {
  const model = workspace.path('model');
  await using named = await open(workspace.path('run'), { model, task: opened.task as 'regression' });
  expect(named.task).toBe(opened.task);
  await expect(open(workspace.path('run'), { model, task: 'token_classification' })).rejects.toThrow(
    /is a model for \w+, not for token_classification/,
  );
});

it('rejects a length beyond the positions of the model, from its notes and as an option', async () => {
  cpSync(workspace.path('run', 'adapter'), workspace.path('long'), { recursive: true });
  const notes = JSON.parse(readFileSync(workspace.path('long', 'adalora.json'), 'utf8'));
  notes.data.max_length = 9999;
  writeFileSync(workspace.path('long', 'adalora.json'), JSON.stringify(notes));
  const tooLong = /data\.max_length .*got 9999/;
  await using noted = await open(workspace.path('long'), { model: workspace.path('model') });
  await expect(noted.predict([{ text: 'a cat' }]).next()).rejects.toThrow(tooLong);
  await using asked = await open(workspace.path('run'), { model: workspace.path('model'), maxLength: 9999 });
  await expect(asked.predict([{ text: 'a cat' }]).next()).rejects.toThrow(tooLong);
});

it.each<[string, unknown, string]>([
  ['a config whose run there is not', { output: 'runs/none' }, 'runs/none does not exist'],
  ['a config without its output', {}, 'open needs a path, an id on the Hub, or a config'],
  [
    'nothing',
    undefined,
    'open needs a path, an id on the Hub, or a config with the key `output`, got nothing',
  ],
])('open rejects %s', async (_, what, message) => {
  await expect(open(what as string)).rejects.toThrow(message);
});

describe('evaluate', () => {
  it('reads as in the run, with given changes, and accepts rows', async () => {
    const scores = await opened.evaluate({ data: workspace.path('dev.tsv') });
    expect(await opened.evaluate({ data: workspace.path('dev.tsv'), reading: { label: 'label' } })).toEqual(
      scores,
    );
    const lines = ROWS.map(({ text, label }) => `"${text}";${label}\n`).join('');
    workspace.write('semi.csv', `sentence;label\n${lines}`);
    expect(await opened.evaluate({ data: workspace.path('semi.csv'), reading: { delimiter: ';' } })).toEqual(
      scores,
    );
    const rows = ROWS.map(({ text, label }) => ({ sentence: text, label }));
    expect(await opened.evaluate({ data: rows })).toEqual(scores);
    expect(await opened.evaluate({ data: ROWS, reading: { text: 'text' } })).toEqual(scores);
  });

  it.each<[string, unknown, object, string]>([
    ['keys that mean nothing', 'dev.tsv', { labell: 'label' }, '--labell does not apply to labeled texts'],
    ['what JSON has not', [{ sentence: 'a', label: 1n }], {}, 'evaluate, row 1 cannot be written as JSON'],
    ['what is neither', 5, {}, 'evaluate needs an object { data }, with a file or rows'],
  ])('rejects %s', async (_, data, reading, message) => {
    const given = data === 'dev.tsv' ? workspace.path(data) : (data as object[]);
    await expect(opened.evaluate({ data: given, reading })).rejects.toThrow(message);
  });
});

it('nothing is written over a folder with files in it', async () => {
  const folder = workspace.path('merged');
  const before = readdirSync(folder);
  const refused = `output: ${folder} is not empty`;
  await expect(opened.merge(folder)).rejects.toThrow(refused);
  for (const form of ['lora', 'onnx']) await expect(opened.export(form, folder)).rejects.toThrow(refused);
  expect(readdirSync(folder)).toEqual(before);
  // An empty name would be the current folder.
  for (const write of [
    () => opened.merge(''),
    () => opened.export('lora', ''),
    () => opened.export('onnx', ''),
  ])
    await expect(write()).rejects.toThrow('`output` is empty. Name a folder.');
});

describe.each(['merged', 'full'])('a whole model, %s', (path) => {
  it('passes no weight through JavaScript', async () => {
    await using opened = await openHere(workspace.path(path));
    expect(opened.parts.values.length).toBe(0);
    expect(opened.parts.tuner.layout.length).toBe(0);
    expect(opened.task).toBe('single_label_classification');
    expect(opened.labels).toEqual(['bad', 'good']);
  });

  it.each(['int8', 'int4'] as const)('is stored in %s on request', async (dtype) => {
    const [exact, rounded] = [await answersOf(path, 'float32'), await answersOf(path, dtype)];
    const differing = differences(rounded, exact);
    // The rounded base gives other logits, and mostly the same labels.
    expect(Math.max(...differing)).toBeGreaterThan(1e-4);
    const agreeing = exact.filter(({ label }, row) => label === rounded[row]!.label);
    expect(agreeing.length).toBeGreaterThanOrEqual(0.9 * ROWS.length);
  });

  it('is stored so by the commands too', async () => {
    const predict = async (dtype: string) => {
      const args = ['predict', path, 'dev.tsv', '--logits', '--base-dtype', dtype];
      const lines = (await succeeds(workspace.run(...args))).trimEnd().split('\n');
      return lines.flatMap((line) => JSON.parse(line).logits as number[]);
    };
    const [exact, rounded] = [await predict('float32'), await predict('int8')];
    const own = (await answersOf(path, 'int8')).flatMap(({ logits }) => [...logits]);
    expect(rounded).not.toEqual(exact);
    rounded.forEach((logit, i) => expect(logit).toBeCloseTo(own[i]!, 5));
  });
});

it('a merged model predicts like the adapter', async () => {
  const [adapted, merged] = [await answersOf('run', 'float32'), await answersOf('merged', 'float32')];
  // The increment is added to the weight before the product, not to its result: float32 rounds differently.
  expect(Math.max(...differences(adapted, merged))).toBeLessThan(1e-4);
  expect(merged.map(({ label }) => label)).toEqual(adapted.map(({ label }) => label));
});

it('reports that an adapter was trained on other weights than its base has', async () => {
  cpSync(workspace.path('model'), workspace.path('other'), { recursive: true });
  const path = workspace.path('other', 'model.safetensors');
  const weights = readFileSync(path);
  // The last byte of a number: another weight, and the same size.
  weights[weights.length - 1]! ^= 1;
  writeFileSync(path, weights);
  const note = 'note: run/adapter: its adapter was trained on other weights than those in other.\n';
  const commands = [
    ['predict', 'run', 'dev.tsv'],
    ['eval', 'run', 'dev.tsv'],
    ['export', 'run', '--as', 'merged', '-o', 'on-other'],
    ['export', 'run', '--as', 'onnx', '-o', 'onnx-on-other'],
  ];
  for (const words of commands) {
    expect(await workspace.run(...words, '--model', 'other')).toMatchObject({ code: 0, stderr: note });
  }
  await succeeds(workspace.run('predict', 'run', 'dev.tsv', '--model', 'model'));
});
