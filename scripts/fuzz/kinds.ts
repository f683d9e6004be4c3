import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { loadConfig } from '../../src/cli/load-config.ts';
import { readRows } from '../../src/data/node/read-rows.ts';
import { textFile } from '../../src/data/node/text-files.ts';
import { readAdapter, writeAdapter } from '../../src/formats/adapters/node/adapter-folder.ts';
import { openCheckpoint } from '../../src/formats/node/checkpoint.ts';
import { readSafetensors } from '../../src/formats/node/safetensors-file.ts';
import { encodeTorchFile } from '../../src/formats/pickle/encode-torch-file.ts';
import { openTorchFile } from '../../src/formats/pickle/node/open-torch-file.ts';
import { generationSettings } from '../../src/generation/generation-settings.ts';
import { tokenModel } from '../../src/objectives/token-model.ts';
import { readRunEvents, readRunRecord } from '../../src/report/node/read-run-record.ts';
import { readLastCheckpoint, writeCheckpoint } from '../../src/run/node/checkpoint-file.ts';
import { finishOf } from '../../src/run/node/event-log.ts';
import type { TrainerState } from '../../src/run/trainer-state.ts';
import { readSentences } from '../../src/tasks/token-classification/read-sentences.ts';
import { loadChatTemplate } from '../../src/text/chat/node/load-chat-template.ts';
import { loadTokenizer } from '../../src/text/node/load-tokenizer.ts';
import { describeAs } from '../../src/trained/node/load-model.ts';
import { readNotes } from '../../src/trained/node/notes-file.ts';
import { readGenerationFiles } from '../../src/trained/node/read-generation-files.ts';
import { asStored } from '../../src/tuners/low-rank/peft-adapter.ts';
import { kindOf } from '../../src/tuners/registry.ts';
import { writeTinyModel } from '../../tests/support/tiny-model.ts';

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

const STATE: TrainerState = {
  step: 8,
  optimizerStep: 8,
  skipped: { total: 0, inARow: 0 },
  meter: { lossSum: 1, steps: 2 },
  best: { step: 4, score: 0.5, waited: 1, metrics: { eval_accuracy: 0.5 } },
  lastMetrics: { eval_accuracy: 0.4 },
  tensors: {
    values: Float32Array.of(1, 2, 3),
    m: new Float32Array(3),
    v: new Float32Array(3),
    best: new Float32Array(3),
  },
  method: { pattern: Uint8Array.of(1, 0), progress: Int32Array.of(1, 0) },
};

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
  { name: 'notes', file: 'run/adalora.json', read: (_, folder) => void readNotes(join(folder, 'run')) },
];

/** Writes an intact file of every kind. */
export function writeSamples(folder: string): void {
  for (const name of ['adapter', 'run', 'checkpoints', 'shards'])
    mkdirSync(join(folder, name), { recursive: true });
  const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
  const model = join(folder, 'model');
  writeTinyModel(model, {
    hidden_size: 8,
    intermediate_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
  });
  const config = `model: m
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32}
training:
  learning_rate: 2e-2
  num_train_epochs: 5
adalora: {target_r: 2, init_r: 4, target_modules: 'encoder.*(query|value)', tinit: 10%, tfinal: 30%, deltaT: 2}
output: run
`;
  write('config.yaml', config);
  const weights = readFileSync(join(model, 'model.safetensors'));
  write('shards/model-00001-of-00001.safetensors', weights);
  const names = [...readSafetensors(join(model, 'model.safetensors')).keys()];
  const weightMap = Object.fromEntries(names.map((name) => [name, 'model-00001-of-00001.safetensors']));
  write(
    'shards/model.safetensors.index.json',
    JSON.stringify({ metadata: { total_size: 1 }, weight_map: weightMap }),
  );
  const tensors = new Map([
    ['a.weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ['a.bias', { shape: [2], data: Float32Array.of(7, 8) }],
  ]);
  write('tensors.bin', Buffer.concat([...encodeTorchFile(tensors, 'tensors')]));
  const factor = (shape: number[]) => ({ shape, data: new Float32Array(shape[0] * shape[1]).fill(0.5) });
  const prefix = 'base_model.model.bert.encoder.layer.0.attention.self.query';
  writeAdapter(
    join(folder, 'adapter'),
    asStored({
      config: {
        peft_type: 'LORA',
        r: 2,
        lora_alpha: 4,
        target_modules: ['query'],
        task_type: 'SEQ_CLS',
      } as never,
      tensors: new Map([
        [`${prefix}.lora_A.weight`, factor([2, 8])],
        [`${prefix}.lora_B.weight`, factor([8, 2])],
      ]) as never,
    }),
  );
  write('rows.tsv', 'sentence\tlabel\na cat sat\tgood\n"a dog"\tbad\n');
  write('rows.csv', 'sentence,label\n"a cat, ""sat""",good\na dog,bad\n');
  write(
    'rows.jsonl',
    '{"sentence": "a cat", "label": "good"}\n{"sentence": "a \\u0064og", "label": "bad"}\n',
  );
  write('words.conll', 'EU B-ORG\nrejects O\n\nPeter B-PER\nBlackburn I-PER\n');
  write('words.jsonl', '{"tokens": ["EU", "rejects"], "ner_tags": ["B-ORG", "O"]}\n');
  const origin = { fingerprint: 'f', began: new Date(0) };
  for (const step of [4, 8]) writeCheckpoint(join(folder, 'checkpoints'), { ...STATE, step }, origin, 2);
  write(
    'run/metrics.jsonl',
    [
      {
        type: 'start',
        step: 0,
        total_steps: 8,
        train_examples: 4,
        method: 'adalora',
        device: 'cpu',
        ranks: { a: 2 },
      },
      { type: 'step', step: 4, epoch: 1, loss: 0.5, learning_rate: 1e-3, grad_norm: 1 },
      { type: 'evaluation', step: 4, epoch: 1, eval_loss: 0.5, eval_accuracy: 0.5, best: true },
      { type: 'finish', step: 8, reason: 'done', metrics: { eval_accuracy: 0.5 }, ranks: { a: 1 } },
    ]
      .map((event) => `${JSON.stringify(event)}\n`)
      .join(''),
  );
  write('run/config.yaml', `${config}task: single_label_classification\nmethod: adalora\nseed: 0\n`);
  write(
    'model/chat_template.jinja',
    "{% for m in messages %}<{{ m.role }}>{{ m['content'] | trim }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}",
  );
  write(
    'model/generation_config.json',
    JSON.stringify({
      eos_token_id: [2, 3],
      do_sample: true,
      temperature: 0.6,
      top_p: 0.9,
      max_new_tokens: 20,
    }),
  );
  write(
    'run/adalora.json',
    JSON.stringify({
      task: 'single_label_classification',
      labels: ['bad', 'good'],
      data: { text: 'sentence', max_length: 32 },
    }),
  );
}
