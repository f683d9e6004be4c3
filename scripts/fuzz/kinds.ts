import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { loadConfig, readConfig } from '../../src/faces/cli/load-config.ts';
import { datasetCard, splitFiles } from '../../src/input/data/hub/resolve-dataset.ts';
import { textFile } from '../../src/input/data/node/text-files.ts';
import { nameClass } from '../../src/input/data/parquet/class-names.ts';
import { parseRows } from '../../src/input/data/parse-rows.ts';
import { parseSmallJson } from '../../src/input/formats/bounded-json.ts';
import { openFile, readText } from '../../src/input/formats/files.ts';
import { disk, folderFiles } from '../../src/input/formats/node/folder-files.ts';
import { openCheckpoint } from '../../src/input/formats/open-checkpoint.ts';
import { TorchFile } from '../../src/input/formats/pickle/torch-file.ts';
import { readChatTemplate } from '../../src/input/text/chat/chat-template.ts';
import { findKind } from '../../src/methods/tuners/registry.ts';
import { generationSettings } from '../../src/program/generation/generation-settings.ts';
import { tokenModel } from '../../src/program/objectives/token-model.ts';
import { comparison } from '../../src/studies/experiments/comparison.ts';
import { THIS_MACHINE } from '../../src/studies/experiments/node/this-machine.ts';
import { writeResults } from '../../src/studies/experiments/write-results.ts';
import { readRunEvents, readRunRecord } from '../../src/studies/report/run/read-run-record.ts';
import { UserError } from '../../src/support/user-error.ts';
import { rowsFromFile } from '../../src/tasks/labeled/read-inputs.ts';
import { readQuestions } from '../../src/tasks/question-answering/read-questions.ts';
import { readSentences } from '../../src/tasks/token-classification/read-sentences.ts';
import { sentencesToTag } from '../../src/tasks/token-classification/read-words.ts';
import { readLastCheckpoint } from '../../src/training/run/checkpoint-files.ts';
import { readFinish } from '../../src/training/run/event-log.ts';
import { describeFolder } from '../../src/use/trained/node/load-model.ts';
import { readNotes } from '../../src/use/trained/notes.ts';
import { buildModel } from '../../src/use/trained/read-model.ts';
import { readAdapter } from '../../tests/support/adapter-folder.ts';
import { loadTokenizer } from '../../tests/support/load-tokenizer.ts';
import { readRows } from '../../tests/support/read-rows.ts';
import { readSafetensors } from '../../tests/support/safetensors-file.ts';
import { exportDifference } from './compare-export.ts';
import { STATE } from './write-samples.ts';

/** A kind of external file, with its reader. */
export interface Kind {
  name: string;
  /** The sample's path in the folder of samples. */
  file: string;
  /**
   * Reads a file. Throws an Error with the name `OtherResult` if the reader accepts a file as intact although
   * its content has changed.
   */
  read(path: string, folder: string): void | Promise<void>;
  /** Whether reading is slow. If so, tests try only a few mutations. */
  isSlow?: boolean;
  /** Whether the reader accepts damaged files. It skips damaged parts, or reads them as they are. */
  isLenient?: boolean;
}

class OtherResult extends Error {
  override name = 'OtherResult';
}

const ROWS = { text: 'sentence', label: 'label' } as const;
const TEXTS = ['the cat sat on the mat.', 'déjà vu 猫 ##s', '', 'a'.repeat(200)];

const rows = (format: 'tsv' | 'csv' | 'jsonl'): Kind => ({
  name: format,
  file: `rows.${format}`,
  read: (path) => void readRows(path, { ...ROWS, format, listed: false }),
});

const tokenize = async (folder: string) => {
  const tokenizer = await loadTokenizer(folder, { typeVocabSize: 2 });
  for (const text of TEXTS) tokenizer.encode(text, undefined, 64);
};

const checkpointOf = (
  path: string,
  read: (names: readonly string[], float: (name: string) => void) => void,
) => {
  const checkpoint = openCheckpoint(disk, path);
  try {
    read(checkpoint.names(), (name) => checkpoint.readFloat32(name));
  } finally {
    checkpoint.close();
  }
};

/** Imported from the build, because its worker thread is in the build. */
const built: typeof import('../../src/input/data/parquet/node/parquet-file.ts') = await import(
  new URL('../../dist/input/data/parquet/node/parquet-file.js', import.meta.url).href
);

/** Converts errors, because the build throws its own copy of the error class. */
async function ofBuild<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw (error as Error).name === 'UserError' ? new UserError((error as Error).message) : error;
  }
}

async function compared(folder: string): Promise<void> {
  const difference = await exportDifference(join(folder, 'classifier'), join(folder, 'base'));
  if (difference !== undefined) throw new OtherResult(`logits that differ by ${difference}`);
}

function compare(folder: string, name: string): void {
  const { value, where } = readConfig(join(folder, `${name}.yaml`));
  writeResults(THIS_MACHINE, comparison({ ...value, output: join(folder, name) }, where));
}

const CONVERSATION = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Where is "it"?' },
  { role: 'assistant', content: 'Here.' },
  { role: 'user', content: 'déjà vu 猫' },
];

export const KINDS: readonly Kind[] = [
  { name: 'config', file: 'config.yaml', read: (path) => void loadConfig(path, ['training.max_steps=3']) },
  { name: 'safetensors', file: 'model/model.safetensors', read: (path) => void readSafetensors(path) },
  {
    name: 'index',
    file: 'shards/model.safetensors.index.json',
    read: (_, folder) => checkpointOf(join(folder, 'shards'), (names, float) => names.forEach(float)),
  },
  {
    name: 'torch',
    file: 'tensors.bin',
    read(path) {
      const file = TorchFile.open(openFile(disk, path, 'a file of torch.save'));
      try {
        for (const name of file.names()) file.readFloat32(name);
      } finally {
        file.close();
      }
    },
  },
  { name: 'tokenizer', file: 'model/tokenizer.json', read: (_, folder) => tokenize(join(folder, 'model')) },
  {
    name: 'tokenizer_config',
    file: 'model/tokenizer_config.json',
    read: (_, folder) => tokenize(join(folder, 'model')),
  },
  {
    name: 'model config',
    file: 'model/config.json',
    read: async (_, folder) =>
      void buildModel(tokenModel('MASKED_LM'), await describeFolder(join(folder, 'model'))),
  },
  {
    name: 'adapter config',
    file: 'adapter/adapter_config.json',
    read: async (_, folder) => void findKind(await readAdapter(join(folder, 'adapter')), folder),
  },
  {
    name: 'adapter',
    file: 'adapter/adapter_model.safetensors',
    read: (_, folder) => readAdapter(join(folder, 'adapter')),
  },
  rows('tsv'),
  rows('csv'),
  rows('jsonl'),
  {
    name: 'conll',
    file: 'words.conll',
    read: (path) => void readSentences(textFile(path).read(), path, {}, true),
  },
  {
    name: 'words',
    file: 'words.jsonl',
    read: (path) => void readSentences(textFile(path).read(), path, {}, true),
  },
  {
    name: 'checkpoint',
    isLenient: true,
    file: 'checkpoints/checkpoint-8.safetensors',
    read(_, folder) {
      const saved = readLastCheckpoint(folderFiles(join(folder, 'checkpoints')));
      if (saved && !isDeepStrictEqual(saved.state, { ...STATE, step: saved.state.step }))
        throw new OtherResult('a state that was not written');
    },
  },
  {
    name: 'metrics',
    isLenient: true,
    file: 'run/metrics.jsonl',
    read(_, folder) {
      const run = folderFiles(join(folder, 'run'));
      readRunEvents(run);
      readFinish(run);
    },
  },
  {
    name: 'run config',
    file: 'run/config.yaml',
    read: (_, folder) => void readRunRecord(folderFiles(join(folder, 'run'))),
  },
  {
    name: 'chat template',
    file: 'model/chat_template.jinja',
    async read(_, folder) {
      const template = (await readChatTemplate(folderFiles(join(folder, 'model')))).parse({});
      template.render([{ role: 'user', content: 'Where?' }], true);
    },
  },
  {
    name: 'generation config',
    file: 'model/generation_config.json',
    read: (path) => void generationSettings({ generationConfig: parseSmallJson(readFileSync(path), path) }),
  },
  ...['adapter_config.json', 'head_config.json', 'adapter.safetensors'].map((file) => ({
    name: `AdapterHub's ${file}`,
    file: `bottleneck/${file}`,
    read: (_: string, folder: string) => readAdapter(join(folder, 'bottleneck')),
  })),
  ...(
    [
      ['bert', 'vocab.txt'],
      ['deberta-v3', 'spm.model'],
      ['deberta-v2-bpe', 'spm.model'],
    ] as const
  ).map(([family, file]) => ({
    name: `${family}'s ${file}`,
    file: `${family}/${file}`,
    read: (_: string, folder: string) => tokenize(join(folder, family)),
  })),
  {
    name: 'long chat template',
    file: 'chat/chat_template.jinja',
    async read(_, folder) {
      const template = (await readChatTemplate(folderFiles(join(folder, 'chat')))).parse({
        bos_token: '<s>',
        eos_token: '</s>',
      });
      template.render(CONVERSATION, true);
    },
  },
  {
    name: 'chat template of tokenizer_config.json',
    file: 'chat-config/tokenizer_config.json',
    async read(_, folder) {
      (await readChatTemplate(folderFiles(join(folder, 'chat-config'))))
        .parse({})
        .render(CONVERSATION, false);
    },
  },
  {
    name: 'parquet',
    file: 'rows.parquet',
    isSlow: true,
    async read(path) {
      const { text, classes } = await ofBuild(() => built.parquetFile(path, { label: ['bad', 'good'] }, 5));
      parseRows(text, path, { text: 'sentence', label: 'label', on_bad_row: 'skip' }, () => {});
      if (Object.values(classes).some((names) => new Set(names).size < names.length))
        throw new OtherResult('two classes of one name');
    },
  },
  {
    name: 'dataset card',
    isLenient: true,
    file: 'README.md',
    read(path) {
      const card = datasetCard(readText(disk, path, 'a card'));
      const present = ['data/train-00000-of-00001.parquet', 'cola/train.csv', 'validation.jsonl'];
      splitFiles(present, card, { dataset: 'a/b', subset: card.subsets[0]?.name, split: 'train' });
      for (const { name } of [{ name: undefined }, ...card.subsets])
        for (const names of Object.values(card.classes(name))) {
          if (new Set(names).size < names.length) throw new OtherResult('two classes of one name');
          for (const value of [0, -1, 1.5, 2n ** 60n, [0, 1], null]) nameClass(value, names);
        }
    },
  },
  {
    name: 'exported adapter',
    file: 'classifier/adapter_model.safetensors',
    isSlow: true,
    read: (_, folder) => compared(folder),
  },
  {
    name: 'exported base',
    file: 'base/model.safetensors',
    isSlow: true,
    read: (_, folder) => compared(folder),
  },
  {
    name: "exported base's config",
    file: 'base/config.json',
    isSlow: true,
    read: (_, folder) => compared(folder),
  },
  { name: 'sweep', file: 'sweep.yaml', isSlow: true, read: (_, folder) => compare(folder, 'sweep') },
  ...['metrics.jsonl', 'config.yaml'].map((file) => ({
    name: `a sweep's ${file}`,
    isLenient: true,
    file: `sweep/runs/run/adalora/seed-0/${file}`,
    isSlow: true,
    read: (_: string, folder: string) => compare(folder, 'sweep'),
  })),
  {
    name: "a sweep's failure",
    isLenient: true,
    file: 'sweep/configs/run-adalora-seed-1.failed.txt',
    isSlow: true,
    read: (_, folder) => compare(folder, 'sweep'),
  },
  {
    name: 'comparison',
    file: 'compare.yaml',
    isSlow: true,
    read: (_, folder) => compare(folder, 'compare'),
  },
  ...['runs/run/lora/seed-0/metrics.jsonl', 'runs/run/lora/seed-0/config.yaml'].map((file) => ({
    name: `a comparison's ${file}`,
    isLenient: true,
    file: `compare/${file}`,
    isSlow: true,
    read: (_: string, folder: string) => compare(folder, 'compare'),
  })),
  {
    name: 'squad',
    file: 'squad.json',
    read: (path) => void readQuestions(textFile(path).read(), path, 'places'),
  },
  {
    name: 'texts to predict',
    isLenient: true,
    file: 'inputs.csv',
    read: (path) => void rowsFromFile(textFile(path).read(), path, { text: 0 }),
  },
  {
    name: 'sentences to tag',
    isLenient: true,
    file: 'sentences.txt',
    read: (path) => void sentencesToTag(textFile(path).read(), path, {}),
  },
  {
    name: 'notes',
    file: 'run/adalora.json',
    read: (_, folder) => readNotes(folderFiles(join(folder, 'run'))),
  },
];
