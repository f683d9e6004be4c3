import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Device } from '../../engine/runtime/session.ts';
import { ON_BAD_ROW } from '../../input/data/rows.ts';
import { BASE_DTYPES, type BaseDtype } from '../../program/bases/base-dtype.ts';
import { defined } from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';
import type { ReadingFlags } from '../../tasks/prediction.ts';

/* Flags of several commands. Each is declared once, so that it has one meaning and one line in docs/commands.md. */

/** A flag as commander declares it, its description, and its values if they are not texts. */
type Declared = readonly [
  flag: string,
  description: string,
  values?: ((value: string) => unknown) | readonly string[],
];

function declare([flag, description, values]: Declared): Option {
  const option = new Option(flag, description);
  if (typeof values === 'function') return option.argParser(values);
  return values ? option.choices(values) : option;
}

/**
 * The keys that people type most often, by their dotted names. Flags of other keys are `--set key=value`. Values without
 * a type are texts, even if they look like numbers.
 */
export const KEY_FLAGS: Readonly<Record<string, Declared>> = {
  output: ['-o, --output <folder>', 'output folder'],
  task: [
    '--task <name>',
    'task, such as causal_lm (default: single_label_classification; for rows, guessed)',
  ],
  model: ['--model <folder or id>', 'model to fine-tune (default: the built-in encoder)'],
  method: ['--method <name>', 'method, such as lora or full (default: adalora)'],
  'training.num_train_epochs': [
    '--epochs <count>',
    'number of epochs (default: chosen by the number of rows)',
    number,
  ],
  'training.learning_rate': [
    '--lr <rate>',
    'peak learning rate (default: chosen by method, rows and model)',
    number,
  ],
  'training.per_device_train_batch_size': [
    '--batch-size <count>',
    'examples per batch (default: chosen by the number of rows)',
    number,
  ],
  'data.validation': [
    '--validation <file or share>',
    'validation file, a share of the rows such as 10%, or "3 folds" (default: chosen by the number of rows)',
  ],
  'data.max_length': ['--max_length, --max-length <tokens>', 'truncate texts to this many tokens', number],
  seed: ['--seed <number>', 'seed of all random choices (default: 0)', number],
  threads: ['--threads <n>', 'compute threads (default: ADALORA_THREADS, or one per core)', number],
};

/** The option of a key of {@link KEY_FLAGS}. */
export function keyOption(key: string): Option {
  return declare(KEY_FLAGS[key]!);
}

export function repeated(value: string, before: string[]): string[] {
  return [...before, value];
}

const SHARED = {
  json: ['--json', 'print JSON instead of text, a line for each item'],
  model: ['--model <folder or id>', 'base model (default: the one that the adapter names)'],
  checkpoint: ['--checkpoint <step>', 'step of a checkpoint to use (default: the result of the run)', count],
  device: ['--device <device>', 'device to compute on', ['cpu', 'webgpu', 'wasm']],
  baseDtype: [
    '--base_dtype, --base-dtype <type>',
    'precision of the frozen weights (default: float32)',
    BASE_DTYPES,
  ],
  resume: ['--resume', 'continue what is in the output folder, from the newest checkpoint'],
  shard: [
    '--shard <i/n>',
    'do only every n-th row, prompt or run, starting with the i-th (default: all)',
    parseShard,
  ],
  open: ['--open <yes|no>', 'whether to open it in a browser', ['yes', 'no']],
  dryRun: ['--dry_run, --dry-run', 'only print what would be done'],
  // Without a default, because the commands have different ones.
  port: [
    '--port <port>',
    'port to listen on, 0 for a free one (default: 8080 for serve, 7117 for web)',
    portNumber,
  ],
} as const satisfies Readonly<Record<string, Declared>>;

/** An option of several commands. */
export function sharedOption(name: keyof typeof SHARED): Option {
  return declare(SHARED[name]);
}

/** Flags that change how a model is opened. */
export interface OpenFlags {
  model?: string;
  device?: Device;
  baseDtype?: BaseDtype;
  maxLength?: number;
}

/** Adds the flags of {@link OpenFlags} without the limit of texts. */
export function addModelFlags(command: Command): Command {
  return command
    .addOption(sharedOption('model'))
    .addOption(sharedOption('checkpoint'))
    .addOption(sharedOption('device'))
    .addOption(keyOption('threads').argParser(count))
    .addOption(sharedOption('baseDtype'));
}

/** Adds the flags of {@link OpenFlags}. */
export function addOpenFlags(command: Command): Command {
  return addModelFlags(command).addOption(keyOption('data.max_length').argParser(count));
}

/** The flags of each key of the `data` section that says how a file is read. */
const READING_FLAGS = [
  [
    'text',
    '--text <column>',
    'column of the text, by name or by number from 0 (default: detected or, with a trained model, as in training)',
    parseColumn,
  ],
  ['text_pair', '--text_pair, --text-pair <column>', 'column of the second text', parseColumn],
  ['label', '--label <column>', 'column of the label', parseColumn],
  ['source', '--source <column>', 'column of the input text (seq2seq)', parseColumn],
  ['target', '--target <column>', 'column of the text to generate (seq2seq)', parseColumn],
  ['header', '--header', 'the first line is a header'],
  ['header', '--no-header', 'the first line is a row'],
  ['quote', '--quote', 'double quotes enclose fields'],
  ['quote', '--no-quote', 'double quotes are plain characters'],
  ['delimiter', '--delimiter <character>', 'field separator'],
  [
    'label_separator',
    '--label_separator, --label-separator <text>',
    'character between the labels, if a row has several',
  ],
  [
    'null_score_diff_threshold',
    '--null_score_diff_threshold, --null-score-diff-threshold <number>',
    'margin by which "no answer" must beat the best answer (SQuAD 2.0)',
    number,
  ],
  ['language', '--language <code>', 'language of the sounds, such as fr (speech)'],
  ['timestamps', '--timestamps', 'also write the times of the segments (speech)'],
  ['on_bad_row', '--on_bad_row, --on-bad-row <what>', 'what to do with rows that cannot be read', ON_BAD_ROW],
] as const;

type ReadingKey = (typeof READING_FLAGS)[number][0];

/** The keys that apply to every file of texts. */
export const TEXT_KEYS: readonly ReadingKey[] = ['text', 'header', 'quote', 'delimiter'];

/** Adds the flags for reading a file: all, or those of some keys. Default for all of them: as in training. */
export function addReadingFlags(command: Command, keys?: readonly ReadingKey[]): Command {
  for (const [key, ...declared] of READING_FLAGS)
    if (!keys || keys.includes(key)) command.addOption(declare(declared));
  return command;
}

/** The flags that change how a data file is read. */
export function readingFlags(flags: object): ReadingFlags {
  const given = flags as Readonly<Record<string, unknown>>;
  const values = READING_FLAGS.map(([key, flag]) => {
    const value = given[new Option(flag).attributeName()];
    // The flag --no-text is about the output.
    return [key, key === 'text' && value === false ? undefined : value];
  });
  return defined(Object.fromEntries(values));
}

/** Flags that name a split of a dataset on the Hub instead of a file. */
export interface SplitFlags {
  dataset?: string;
  subset?: string;
  split?: string;
}

/** Adds the flags of {@link SplitFlags}. */
export function addSplitFlags(command: Command): Command {
  return command
    .option('--dataset <owner/name>', 'dataset of the Hub, instead of a file')
    .option('--subset <name>', 'subset of the dataset')
    .option('--split <name>', 'split of the dataset (default: validation)');
}

/**
 * Rejects flags without effect: with a flag that changes what a command does, only some of its flags apply.
 *
 * @param names attribute names of the flags that apply
 */
export function assertOnly(command: Command, flag: string, names: readonly string[]): void {
  const idle = command.options.find((option) => {
    const name = option.attributeName();
    return command.getOptionValueSource(name) === 'cli' && !names.includes(name);
  });
  if (idle) throw new UserError({ key: idle.long!, fault: `does not apply with ${flag}` });
}

/** Parses a column flag: a name, or a number from 0. */
export function parseColumn(value: string): string | number {
  return /^\d+$/.test(value) ? Number(value) : value;
}

export function number(value: string): number {
  if (value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  throw new InvalidArgumentError('Use a number.');
}

export function count(value: string): number {
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Use a whole number from 1.');
}

/** Every n-th of several runs, rows or prompts, starting with the i-th. */
export interface Shard {
  /** i, from 1. */
  number: number;
  /** n. */
  of: number;
}

function parseShard(value: string): Shard {
  const [, number, of] = (/^(\d{1,4})\/(\d{1,4})$/.exec(value) ?? []).map(Number) as [number, number, number];
  if (number >= 1 && number <= of) return { number, of };
  throw new InvalidArgumentError('Use i/n with i from 1 to n, such as 2/8.');
}

/** Those of all items that belong to a shard. */
export function inShard<T>(all: readonly T[], { number, of }: Shard = { number: 1, of: 1 }): T[] {
  return all.filter((_, i) => i % of === number - 1);
}

/** Parses a TCP port; 0 means any free port. */
function portNumber(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) < 2 ** 16) return Number(value);
  throw new InvalidArgumentError('Use a port from 0 to 65535.');
}
