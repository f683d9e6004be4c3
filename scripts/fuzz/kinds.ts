import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { loadConfig } from '../../src/cli/load-config.ts';
import { glueKind } from '../../src/cli/score/glue.ts';
import { seqeval } from '../../src/cli/score/seqeval.ts';
import { squad } from '../../src/cli/score/squad.ts';
import { TEXT_KINDS } from '../../src/cli/score/text-kinds.ts';
import { readRows } from '../../src/data/node/read-rows.ts';
import { textFile } from '../../src/data/node/text-files.ts';
import { readAdapter } from '../../src/formats/adapters/node/adapter-folder.ts';
import { openCheckpoint } from '../../src/formats/node/checkpoint.ts';
import { readSafetensors } from '../../src/formats/node/safetensors-file.ts';
import { openTorchFile } from '../../src/formats/pickle/node/open-torch-file.ts';
import { generationSettings } from '../../src/generation/generation-settings.ts';
import { tokenModel } from '../../src/objectives/token-model.ts';
import { readRunEvents, readRunRecord } from '../../src/report/node/read-run-record.ts';
import { readLastCheckpoint } from '../../src/run/node/checkpoint-file.ts';
import { finishOf } from '../../src/run/node/event-log.ts';
import { readQuestions } from '../../src/tasks/question-answering/read-questions.ts';
import { readSentences } from '../../src/tasks/token-classification/read-sentences.ts';
import { loadChatTemplate } from '../../src/text/chat/node/load-chat-template.ts';
import { loadTokenizer } from '../../src/text/node/load-tokenizer.ts';
import { describeAs } from '../../src/trained/node/load-model.ts';
import { readNotes } from '../../src/trained/node/notes-file.ts';
import { readGenerationFiles } from '../../src/trained/node/read-generation-files.ts';
import { kindOf } from '../../src/tuners/registry.ts';
import { STATE } from './write-samples.ts';

/** A kind of file from outside: where it lies, and what reads it. */
export interface Kind {
  name: string;
  /** Below the folder of the samples. */
  file: string;
  /** Throws an Error of the name `OtherResult` for a file that is taken for intact and says something else. */
  read(path: string, folder: string): void;
}

class OtherResult extends Error {
  override name = 'OtherResult';
}

const ROWS = { text: 'sentence', label: 'label' } as const;
const TEXTS = ['the cat sat on the mat.', 'déjà vu 猫 ##s', ''];

const rows = (format: 'tsv' | 'csv' | 'jsonl'): Kind => ({
  name: format,
  file: `rows.${format}`,
  read: (path) => void readRows(path, { ...ROWS, format, listed: false }),
});

const tokenize = (folder: string) => {
  const tokenizer = loadTokenizer(folder, { typeVocabSize: 2 });
  for (const text of TEXTS) tokenizer.encode(text, undefined, 64);
};

const checkpointOf = (
  path: string,
  read: (names: readonly string[], float: (name: string) => void) => void,
) => {
  const checkpoint = openCheckpoint(path);
  try {
    read(checkpoint.names(), (name) => checkpoint.readFloat32(name));
  } finally {
    checkpoint.close();
  }
};

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
      const file = openTorchFile(path);
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
    read: (_, folder) => void describeAs(join(folder, 'model'), tokenModel('MASKED_LM')),
  },
  {
    name: 'adapter config',
    file: 'adapter/adapter_config.json',
    read: (_, folder) => void kindOf(readAdapter(join(folder, 'adapter')), folder),
  },
  {
    name: 'adapter',
    file: 'adapter/adapter_model.safetensors',
    read: (_, folder) => void readAdapter(join(folder, 'adapter')),
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
    file: 'checkpoints/checkpoint-8.safetensors',
    read(_, folder) {
      const saved = readLastCheckpoint(join(folder, 'checkpoints'));
      if (saved && !isDeepStrictEqual(saved.state, { ...STATE, step: saved.state.step }))
        throw new OtherResult('a state that was not written');
    },
  },
  {
    name: 'metrics',
    file: 'run/metrics.jsonl',
    read(path) {
      readRunEvents(path);
      finishOf(path);
    },
  },
  {
    name: 'run config',
    file: 'run/config.yaml',
    read: (_, folder) => void readRunRecord(join(folder, 'run')),
  },
  {
    name: 'chat template',
    file: 'model/chat_template.jinja',
    read(_, folder) {
      const template = loadChatTemplate(join(folder, 'model'), {});
      template.render([{ role: 'user', content: 'Where?' }], true);
    },
  },
  {
    name: 'generation config',
    file: 'model/generation_config.json',
    read: (_, folder) => void generationSettings(readGenerationFiles(join(folder, 'model'))),
  },
  ...['adapter_config.json', 'head_config.json', 'pytorch_adapter.bin'].map((file) => ({
    name: `AdapterHub's ${file}`,
    file: `bottleneck/${file}`,
    read: (_: string, folder: string) => void readAdapter(join(folder, 'bottleneck')),
  })),
  ...(
    [
      ['bert', 'vocab.txt'],
      ['deberta-v3', 'spm.model'],
      ['deberta-v2-bpe', 'spm.model'],
      ['gpt2-bos', 'merges.txt'],
      ['gpt2-bos', 'vocab.json'],
    ] as const
  ).map(([family, file]) => ({
    name: `${family}'s ${file}`,
    file: `${family}/${file}`,
    read: (_: string, folder: string) => tokenize(join(folder, family)),
  })),
  {
    name: 'squad',
    file: 'squad.json',
    read: (path) => void readQuestions(textFile(path).read(), path, 'places'),
  },
  {
    name: 'squad predictions',
    file: 'predictions.json',
    read: (path, folder) =>
      void squad.score(
        { predictions: textFile(path), references: textFile(join(folder, 'squad.json')) },
        () => {},
      ),
  },
  {
    name: 'seqeval',
    file: 'tags.txt',
    read: (path) => void seqeval.score({ predictions: textFile(path) }, () => {}),
  },
  {
    name: 'summaries',
    file: 'summaries.jsonl',
    read: (path) =>
      void TEXT_KINDS.rouge.score({ predictions: textFile(path), references: textFile(path) }, () => {}),
  },
  {
    name: 'glue predictions',
    file: 'cola.tsv',
    read: (path) =>
      void glueKind('cola').score({ predictions: textFile(path), references: textFile(path) }, () => {}),
  },
  { name: 'notes', file: 'run/adalora.json', read: (_, folder) => void readNotes(join(folder, 'run')) },
];
