import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { METHOD_NAMES } from '../../src/methods/tuners/registry.ts';
import { writeSmallGenerator } from '../../tests/support/small-generator.ts';
import { tinyRows } from '../../tests/support/tiny-data.ts';
import { writeTinyEntities, writeTinyTagger } from '../../tests/support/tiny-entities.ts';
import { tinyQuestions } from '../../tests/support/tiny-questions.ts';
import { writeTinyTextModel } from '../../tests/support/tiny-text-model.ts';
import type { Workspace } from '../../tests/support/workspace.ts';

export interface Setting {
  name: string;
  /** The command's arguments, except for its output folder. */
  args: readonly string[];
  /** The arguments for the output folder. Default: `--set output=…`. */
  output?: (folder: string) => readonly string[];
}

const COMMON = [
  ...['training.num_train_epochs=4', 'training.save_steps=7', 'training.load_best_model_at_end=true'],
  ...['adalora.tinit=10%', 'adalora.tfinal=40%', 'adalora.lora_dropout=0.1'],
];
/** Options of LoRA that change the content of a checkpoint. */
const LORA_OPTIONS = ['use_dora=true', 'init_lora_weights=pissa', 'loraplus_lr_ratio=8'];
const GLUED = ['training.gradient_accumulation_steps=2', 'training.per_device_train_batch_size=8'];

const SENTENCE_MODEL = resolve('src/tasks/sentence-embedding/fixtures/model');
const TRAINING = `training: {max_steps: 30, save_steps: 7, eval_steps: 10, eval_strategy: steps, per_device_train_batch_size: 8}
method: lora
lora: {r: 4}
output: run
`;
const CONFIGS: Record<string, string> = {
  'tags.yaml': `model: tagger\ntask: token_classification\ndata: {train: train.conll, validation: dev.conll}\n`,
  'questions.yaml': `model: model\ntask: question_answering\ndata: {train: train.json, validation: dev.json, max_length: 48, doc_stride: 16}\n`,
  'texts.yaml': `model: llama\ntask: causal_lm\ndata: {train: train.txt, validation: dev.txt, sample_by: line, max_length: 32}\n`,
  'masks.yaml': `model: masked\ntask: masked_lm\ndata: {train: train.txt, validation: dev.txt, sample_by: line, max_length: 32}\n`,
  'pairs.yaml': `model: t5\ntask: seq2seq_lm\ndata: {train: pairs.tsv, validation: pairs.tsv, source: 0, target: 1, max_source_length: 32, max_target_length: 16}\n`,
  'embeddings.yaml': `model: ${SENTENCE_MODEL}\ntask: sentence_embedding\ndata: {train: pairs.tsv, validation: pairs.tsv, anchor: 0, positive: 1}\n`,
  'sweep.yaml': `model: model
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32}
seeds: 2
held_out: 0.25
`,
  'compare.yaml': `model: model
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32}
rows: {lora: {method: lora}, adalora: {method: adalora, adalora: {target_r: 2, init_r: 4, tinit: 3, tfinal: 9}}}
grid: {training.learning_rate: [1e-3, 1e-2]}
seeds: 2
held_out: 0.25
`,
};

const TABLE = [
  ...['compare', 'table1', '--model', 'model', '--set', 'data_folder=sets', '--set', 'seeds=2'],
  ...['--only', '0.16%', '--only', 'lora', '--only', 'adalora'],
  ...[
    'training.max_steps=24',
    'training.eval_steps=6',
    'training.warmup_steps=0',
    'data.max_length=32',
  ].flatMap((setting) => ['--set', setting]),
  ...['adalora.tinit=1', 'adalora.tfinal=2', 'adalora.deltaT=1'].flatMap((setting) => ['--set', setting]),
];

/**
 * Writes the files of all settings, and lists the settings: every method, seven tasks, quantized bases of
 * encoders and decoders, a sweep, a comparison and a table of the paper.
 */
export function writeSettings(workspace: Workspace): Setting[] {
  for (const [name, config] of Object.entries(CONFIGS)) {
    const isComparison = name === 'compare.yaml';
    workspace.write(
      name,
      config + (isComparison ? TRAINING.replace(/^(method|lora): .*\n/gm, '') : TRAINING),
    );
  }
  writeTinyTagger(workspace.path('tagger'));
  // Rows consist of whole blocks, as 8 and 4 bits require.
  writeTinyTextModel(workspace.path('llama'), 'llama', { hidden_size: 64, intermediate_size: 128 });
  writeTinyTextModel(workspace.path('masked'), 'bert');
  mkdirSync(workspace.path('t5'));
  writeSmallGenerator(workspace.path('t5'), 't5');
  for (const [part, count, seed] of [
    ['train', 120, 1],
    ['dev', 24, 2],
  ] as const) {
    writeTinyEntities(workspace.path(`${part}.conll`), count, seed);
    workspace.write(`${part}.json`, tinyQuestions(count, seed, false));
    workspace.write(
      `${part}.txt`,
      `${tinyRows(count, seed)
        .map(({ text }) => text)
        .join('\n')}\n`,
    );
  }
  workspace.write(
    'pairs.tsv',
    tinyRows(60, 3)
      .map(({ text, label }) => `${text}\t${label} cat\n`)
      .join(''),
  );
  mkdirSync(workspace.path('sets', 'glue', 'CoLA'), { recursive: true });
  for (const [file, count, seed] of [
    ['train', 120, 1],
    ['dev', 40, 2],
  ] as const)
    workspace.write(
      `sets/glue/CoLA/${file}.tsv`,
      tinyRows(count, seed)
        .map(({ text, label }) => `made\t${label === 'good' ? 1 : 0}\t\t${text}\n`)
        .join(''),
    );
  const train = (file: string, ...settings: string[]) => [
    ...['train', file, '--resume'],
    ...settings.flatMap((one) => ['--set', one]),
  ];
  const classes = (name: string, ...settings: string[]) => ({
    name,
    args: train('run.yaml', ...COMMON, ...settings),
  });
  return [
    ...METHOD_NAMES.map((method) => classes(method, `method=${method}`)),
    ...LORA_OPTIONS.map((option) => classes(option, 'method=lora', `lora.${option}`)),
    classes('int8', 'base_dtype=int8'),
    classes('int4', 'base_dtype=int4', 'method=lora'),
    classes('accumulated', ...GLUED),
    { name: 'tags', args: train('tags.yaml') },
    { name: 'questions', args: train('questions.yaml', 'method=adalora') },
    { name: 'texts', args: train('texts.yaml') },
    { name: 'texts-int8', args: train('texts.yaml', 'base_dtype=int8') },
    { name: 'texts-int4', args: train('texts.yaml', 'base_dtype=int4') },
    { name: 'masks', args: train('masks.yaml', 'method=adalora') },
    { name: 'pairs', args: train('pairs.yaml') },
    { name: 'embeddings', args: train('embeddings.yaml') },
    { name: 'sweep', args: ['compare', 'sweep.yaml', '--resume'] },
    { name: 'compare', args: ['compare', 'compare.yaml', '--resume'] },
    { name: 'table', args: [...TABLE, '--resume'], output: (folder) => ['-o', folder] },
  ];
}
