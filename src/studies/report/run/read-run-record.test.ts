import { mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { readRunRecord } from './read-run-record.ts';

const CONFIG = 'model: m\nmethod: lora\ndata: {train: a.tsv}\ntraining: {}\n';

let folder: string;
beforeEach(() => {
  folder = newFolder();
  writeFileSync(join(folder, 'config.yaml'), CONFIG);
  writeFileSync(join(folder, 'metrics.jsonl'), '');
});

const messageOf = () => {
  try {
    readRunRecord(folderFiles(folder));
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
  return 'none';
};

it('reads the valid part of a damaged log', () => {
  const lines = [
    '{"type":"step","step":1,"loss":0.5}',
    'garbage',
    '[]',
    'null',
    '{"type":"step","step":2,"lo',
  ];
  writeFileSync(join(folder, 'metrics.jsonl'), lines.join('\n'));
  expect(readRunRecord(folderFiles(folder))).toMatchObject({
    facts: { method: 'lora', seed: 0 },
    steps: [{ step: 1, loss: 0.5 }],
  });
});

it('asks for the runs of a folder that contains some', () => {
  mkdirSync(join(folder, 'one'));
  renameSync(join(folder, 'config.yaml'), join(folder, 'one', 'config.yaml'));
  const message = 'contains runs but is not a run itself. Name the runs in it: one.';
  expect(messageOf().replaceAll(folder, 'runs')).toBe(`runs ${message}`);
});

it('rejects a log that would not fit into memory', () => {
  truncateSync(join(folder, 'metrics.jsonl'), 2 ** 28 + 1);
  expect(messageOf()).toBe('metrics.jsonl has 268435457 bytes, more than the maximum of 268435456.');
});

const NO_CONFIG = 'is not a config written by a run.';
// Runs write no aliases.
const NO_ALIASES = 'is not valid YAML: Alias resolution is disabled.';

it.each([
  ['{', 'is not valid YAML: Flow map must end with a } at line 1, column 2.'],
  ['[]', NO_CONFIG],
  ['method: other', NO_CONFIG],
  [`${CONFIG}a: &a [*a]\n`, 'is not valid YAML: The alias *a is inside the value that it stands for.'],
  // Aliases of aliases: a few bytes stand for billions of values.
  [
    `a: &a [x, x]\n${'bcdefghijklmnopqrstuvwxyz'
      .split('')
      .map((name, i, all) => `${name}: &${name} [*${all[i - 1] ?? 'a'}, *${all[i - 1] ?? 'a'}]`)
      .join('\n')}`,
    NO_ALIASES,
  ],
])('rejects a config that no run wrote: %s', (text, message) => {
  writeFileSync(join(folder, 'config.yaml'), text);
  expect(messageOf()).toBe(`config.yaml ${message}`);
});

it('reports missing files', () => {
  rmSync(join(folder, 'metrics.jsonl'));
  expect(messageOf()).toMatch(/^metrics.jsonl does not exist; it should be the log of a run/);
  mkdirSync(join(folder, 'metrics.jsonl'));
  expect(messageOf()).toBe('metrics.jsonl is a folder or a device. Pass the log of a run.');
});
