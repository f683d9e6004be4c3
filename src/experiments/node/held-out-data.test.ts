import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readRows } from '../../data/node/read-rows.ts';
import { textFiles } from '../../data/node/text-files.ts';
import type { RunConfig } from '../../run/config/run-config.ts';
import { writeHeldOut } from './held-out-data.ts';

const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const numbers = Array.from({ length: 20 }, (_, i) => i);
const columns = { text: 'text', label: 'label' };
const tabs = ['text\tlabel', ...numbers.map((i) => `"row ${i}\t${i % 2}`)];
const commas = ['text,label', ...numbers.map((i) => `"row ${i},\nmore",${i % 2}`)];

it.each([
  ['train.tsv', tabs, {}],
  ['train.txt', tabs, {}],
  ['train', tabs, {}],
  ['train.csv', tabs, {}],
  ['train.csv', ['\ufefftext,label', ...commas.slice(1)], {}],
  ['train.data', commas, { delimiter: ',' }],
  ['train.txt', commas.map((line) => line.replace(/,([^,]*)$/, '\t$1')), { quote: true }],
])('each row of %s is on one side, as its reader splits it', async (name, lines, how) => {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  const reading = { ...columns, ...how };
  const data = { train: path, ...reading } as RunConfig['data'];
  const given = { task: 'single_label_classification', data } as Pick<RunConfig, 'task' | 'data'>;
  const { train = '', validation } = await writeHeldOut(given, 0.25, join(folder, 'parts'));
  const textsOf = (file: string) => readRows(file, reading).map(({ text }) => text);
  const [learnt, heldOut] = [`${train}`, validation].map(textsOf) as [string[], string[]];
  expect([learnt.length, heldOut.length]).toEqual([15, 5]);
  expect([...learnt, ...heldOut].sort()).toEqual(textsOf(path).sort());
});

it("texts of a folder are split without another sweep's files in their place", async () => {
  const lines = numbers.map((i) => `line ${i}`).join('\n');
  const parts = join(folder, 'texts');
  const part = async (name: string, files: readonly string[]) => {
    mkdirSync(join(folder, name));
    for (const file of files) writeFileSync(join(folder, name, file), lines);
    const data = { train: join(folder, name) } as RunConfig['data'];
    return writeHeldOut({ task: 'causal_lm', data } as RunConfig, 0.25, parts);
  };
  await part('first', ['a.txt', 'b.txt']);
  const { train, validation } = await part('second', ['b.txt', 'c.txt']);
  for (const place of [`${train}`, validation]) expect(readdirSync(place).sort()).toEqual(['b.txt', 'c.txt']);
});

it('pairs of texts are held out by each run', async () => {
  const path = join(folder, 'pairs.csv');
  writeFileSync(path, ['question,answer', ...numbers.map((i) => `question ${i},answer ${i}`)].join('\n'));
  const data = { train: path, anchor: 'question', positive: 'answer' };
  const given = { task: 'sentence_embedding', data } as Pick<RunConfig, 'task' | 'data'>;
  expect(await writeHeldOut(given, 0.25, join(folder, 'pairs'))).toEqual({ validation: '25%' });
});

const mixture = (...train: string[]) => ({ train, probabilities: train.map(() => 1 / train.length) });

it("a mixture's files are split each, and their held-out rows are one validation set", async () => {
  const [first, second] = ['lines.md', 'stories'].map((name) => join(folder, name)) as [string, string];
  writeFileSync(first, numbers.map((i) => `line ${i}`).join('\n'));
  mkdirSync(second);
  for (const file of ['a.txt', 'b.txt'])
    writeFileSync(join(second, file), numbers.map((i) => `${file} ${i}`).join('\n'));
  const data = mixture(first, second) as RunConfig['data'];
  const parts = await writeHeldOut({ task: 'causal_lm', data } as RunConfig, 0.25, join(folder, 'mixed'));
  const linesOf = (path: string) => textFiles(path).flatMap((file) => file.read().trim().split('\n'));
  const learnt = (parts.train as string[]).map(linesOf);
  expect(learnt.map(({ length }) => length)).toEqual([15, 30]);
  const heldOut = linesOf(parts.validation);
  expect(heldOut).toHaveLength(15);
  expect([...learnt.flat(), ...heldOut].sort()).toEqual([first, second].flatMap(linesOf).sort());
});

it('runs of a task that can hold rows out do so themselves for a mixture and for a data set on the Hub', async () => {
  for (const data of [mixture('a.tsv', 'b.tsv'), { dataset: 'nyu-mll/glue', train: 'train' }])
    expect(
      await writeHeldOut({ task: 'single_label_classification', data } as RunConfig, 0.07, folder),
    ).toEqual({ validation: '7%' });
  const data = { dataset: 'owner/stories', train: 'train' };
  await expect(writeHeldOut({ task: 'causal_lm', data } as RunConfig, 0.1, folder)).rejects.toThrow(
    'cannot be split into training and held-out rows for task causal_lm: only files can',
  );
});
