import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../src/cli/load-config.ts';
import { resolveSplit } from '../src/data/hub/node/resolve-dataset.ts';
import { textFile } from '../src/data/node/text-files.ts';
import { readAdapter } from '../src/formats/adapters/node/adapter-folder.ts';
import { openCheckpoint } from '../src/formats/node/checkpoint.ts';
import { readRunEvents, readRunRecord } from '../src/report/node/read-run-record.ts';
import { finishOf } from '../src/run/node/event-log.ts';
import { UserError } from '../src/support/user-error.ts';
import { loadChatTemplate } from '../src/text/chat/node/load-chat-template.ts';
import { readTokenizerFiles } from '../src/text/node/load-tokenizer.ts';
import { readModelConfig } from '../src/trained/node/load-model.ts';
import { readNotes } from '../src/trained/node/notes-file.ts';
import { readGenerationFiles } from '../src/trained/node/read-generation-files.ts';

/* The sizes in SECURITY.md: a file with one byte more is rejected before it is read. */

const COMMIT = '0123456789012345678901234567890123456789';

type Read = (path: string, folder: string) => unknown;
const tokenizer: Read = (_, folder) => readTokenizerFiles(folder);
const data: Read = (path) => textFile(path);

/** The reader of each file, by its name in the table. */
const READERS: Record<string, [file: string, read: Read][]> = {
  'YAML config of a command': [['run.yaml', (path) => loadConfig(path)]],
  '`config.yaml` of a run': [['run/config.yaml', (path) => readRunRecord(dirname(path))]],
  '`config.json`, `adapter_config.json`, `adalora.json`': [
    ['model/config.json', (_, folder) => readModelConfig(folder)],
    ['adapter/adapter_config.json', (_, folder) => readAdapter(folder)],
    ['notes/adalora.json', (_, folder) => readNotes(folder)],
  ],
  '`generation_config.json`': [
    ['generation/generation_config.json', (_, folder) => readGenerationFiles(folder)],
  ],
  '`chat_template.jinja`': [['chat/chat_template.jinja', (_, folder) => loadChatTemplate(folder, {})]],
  '`tokenizer.json`': [['fast/tokenizer.json', tokenizer]],
  '`tokenizer_config.json`, `vocab.txt`, `vocab.json`, `merges.txt`, `spm.model`': [
    'tokenizer_config.json',
    'vocab.txt',
    'vocab.json',
    'merges.txt',
    'spm.model',
  ].map((name): [string, Read] => [`slow-${name}/${name}`, tokenizer]),
  '`model.safetensors.index.json`': [
    ['index/model.safetensors.index.json', (_, folder) => openCheckpoint(folder)],
  ],
  '`README.md` of a data set': [
    [
      `datasets--a--b/snapshots/${COMMIT}/README.md`,
      (path) =>
        resolveSplit(
          { dataset: 'a/b', split: 'train' },
          { cacheDir: join(dirname(path), '../../..'), offline: true, revision: COMMIT },
        ),
    ],
  ],
  '`metrics.jsonl` of a run': [
    ['log/metrics.jsonl', (path) => readRunEvents(path)],
    ['log-end/metrics.jsonl', (path) => finishOf(path)],
  ],
  'TSV, CSV, JSON Lines, text, CoNLL, files to score': [
    ['rows.tsv', data],
    ['rows.jsonl', data],
  ],
};

const rows = [...readFileSync('SECURITY.md', 'utf8').matchAll(/^\| (.+?) \| (\d+) \|/gm)].map(
  ([, name, bytes]): [string, number] => [name, Number(bytes)],
);

const folder = mkdtempSync(join(tmpdir(), 'limits-'));
beforeAll(() => {
  for (const [file] of Object.values(READERS).flat())
    mkdirSync(join(folder, dirname(file)), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

it('lists every kind of file', () => {
  expect(rows.map(([name]) => name)).toEqual(Object.keys(READERS));
});

it.each(rows)('%s: %d bytes', async (name, bytes) => {
  for (const [file, read] of READERS[name]) {
    const path = join(folder, file);
    writeFileSync(path, '');
    truncateSync(path, bytes + 1); // a sparse file: nothing is written
    const error = await Promise.resolve()
      .then(() => read(path, dirname(path)))
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(`${error}`).toMatch(new RegExp(`(at most|maximum of) ${bytes}\\b`));
    rmSync(path);
  }
});
