import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../src/faces/cli/load-config.ts';
import { resolveSplit } from '../src/input/data/hub/resolve-dataset.ts';
import { textFile } from '../src/input/data/node/text-files.ts';
import { disk, folderFiles } from '../src/input/formats/node/folder-files.ts';
import { openCheckpoint } from '../src/input/formats/open-checkpoint.ts';
import { hub } from '../src/input/hub/node/resolve-model.ts';
import { readTokenizerFiles } from '../src/input/text/build-tokenizer.ts';
import { readChatTemplate } from '../src/input/text/chat/chat-template.ts';
import { readRunEvents, readRunRecord } from '../src/studies/report/run/read-run-record.ts';
import { UserError } from '../src/support/user-error.ts';
import { readFinish } from '../src/training/run/event-log.ts';
import { readLayer } from '../src/use/trained/layer-file.ts';
import { describeFolder, readFolder } from '../src/use/trained/node/load-model.ts';
import { readNotes } from '../src/use/trained/notes.ts';
import { readAdapter } from './support/adapter-folder.ts';
import { newFolder } from './support/new-folder.ts';

/* The sizes in SECURITY.md: a file with one byte more is rejected before it is read. */

const COMMIT = '0123456789012345678901234567890123456789';

const GPT2 = { model_type: 'gpt2', vocab_size: 9, n_embd: 8, n_layer: 1, n_head: 1, n_positions: 8 };

type Read = (path: string, folder: string) => unknown;
const tokenizer: Read = async (_, folder) => await readTokenizerFiles(folderFiles(folder));
const data: Read = (path) => textFile(path);

/** The reader of each file, by its name in the table. */
const READERS: Record<string, [file: string, read: Read][]> = {
  'YAML config of a command': [['run.yaml', (path) => loadConfig(path)]],
  '`config.yaml` of a run': [['run/config.yaml', (path) => readRunRecord(folderFiles(dirname(path)))]],
  '`config.json`, `adapter_config.json`, `adalora.json`': [
    ['model/config.json', async (_, folder) => (await describeFolder(folder)).json],
    ['adapter/adapter_config.json', (_, folder) => readAdapter(folder)],
    ['notes/adalora.json', (_, folder) => readNotes(folderFiles(folder))],
  ],
  '`generation_config.json`': [
    ['generation/generation_config.json', async (_, folder) => (await readFolder(folder)).generationFiles()],
  ],
  '`chat_template.jinja`': [
    [
      'chat/chat_template.jinja',
      async (_, folder) => (await readChatTemplate(folderFiles(folder))).parse({}),
    ],
  ],
  '`tokenizer.json`': [['fast/tokenizer.json', tokenizer]],
  '`tokenizer_config.json`, `vocab.txt`, `spm.model`': [
    'tokenizer_config.json',
    'vocab.txt',
    'spm.model',
  ].map((name): [string, Read] => [`slow-${name}/${name}`, tokenizer]),
  '`model.safetensors.index.json`': [
    ['index/model.safetensors.index.json', (_, folder) => openCheckpoint(disk, folder)],
  ],
  '`head.safetensors`': [['layer/head.safetensors', (_, folder) => readLayer(folderFiles(folder))]],
  '`README.md` of a dataset': [
    [
      `datasets--a--b/snapshots/${COMMIT}/README.md`,
      (path) =>
        resolveSplit(
          hub,
          { dataset: 'a/b', split: 'train' },
          { cacheDir: join(dirname(path), '../../..'), offline: true, revision: COMMIT },
        ),
    ],
  ],
  '`metrics.jsonl` of a run': [
    ['log/metrics.jsonl', (path) => readRunEvents(folderFiles(dirname(path)))],
    ['log-end/metrics.jsonl', (path) => readFinish(folderFiles(dirname(path)))],
  ],
  'TSV, CSV, JSON Lines, text, CoNLL, files to score': [
    ['rows.tsv', data],
    ['rows.jsonl', data],
  ],
};

const UNITS = { KiB: 2 ** 10, MiB: 2 ** 20 };
const rows = [
  ...readFileSync('SECURITY.md', 'utf8').matchAll(/^\| (.+?) \| (\d+) (KiB|MiB)(?: less (\d+) bytes)? \|/gm),
].map(([, name, count, unit, less]): [string, number] => [
  name!,
  Number(count) * UNITS[unit as keyof typeof UNITS] - Number(less ?? 0),
]);

const folder = newFolder();
beforeAll(() => {
  for (const [file] of Object.values(READERS).flat())
    mkdirSync(join(folder, dirname(file)), { recursive: true });
});
// Settings for generation are those of a language model.
beforeAll(() => writeFileSync(join(folder, 'generation', 'config.json'), JSON.stringify(GPT2)));

it('lists every kind of file', () => {
  expect(rows.map(([name]) => name)).toEqual(Object.keys(READERS));
});

it.each(rows)('%s: %d bytes', async (name, bytes) => {
  for (const [file, read] of READERS[name]!) {
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
