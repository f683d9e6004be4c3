import { type Command, InvalidArgumentError, Option } from 'commander';
import { BASE_DTYPES, type BaseDtype } from '../bases/base-dtype.ts';
import type { Device } from '../runtime/session.ts';
import type { ReadingFlags } from '../tasks/task-definition.ts';
import type { OpenOptions } from '../trained/node/open.ts';
import { downloadDisplay } from './terminal/download-display.ts';

/** Collects a flag that may be given many times. */
export function repeated(value: string, before: string[]): string[] {
  return [...before, value];
}

/** Flags of the commands that use an adapter. */
export interface UseFlags {
  model?: string;
  device?: Device;
  baseDtype?: BaseDtype;
  text?: string | number;
  textPair?: string | number;
  label?: string | number;
  source?: string | number;
  target?: string | number;
  header?: boolean;
  quote?: boolean;
  labelSeparator?: string;
  nullScoreDiffThreshold?: number;
  maxLength?: number;
}

/** Adds the flags of {@link UseFlags}; those for the file are named like the `data` section's keys. */
export function addUseFlags(command: Command): Command {
  return command
    .option('--model <folder or id>', 'the base model, where it is not the one the adapter names')
    .addOption(new Option('--device <device>', 'where to compute').choices(['cpu', 'webgpu', 'wasm']))
    .addOption(baseDtypeOption())
    .option(
      '--text <column>',
      'column of the text, name or number from 0 (this and those below: default as in the run)',
      column,
    )
    .option('--text_pair, --text-pair <column>', 'column of the second text', column)
    .option('--label <column>', 'column of the label', column)
    .option('--source <column>', 'column of the text to write another from', column)
    .option('--target <column>', 'column of the text to write', column)
    .option('--header', 'the first line names the columns')
    .option('--no-header', 'it does not')
    .option('--quote', 'double quotes enclose fields')
    .option('--no-quote', 'they are characters like any other')
    .option('--label_separator, --label-separator <text>', 'what separates the labels of a row')
    .option(
      '--null_score_diff_threshold, --null-score-diff-threshold <number>',
      'how far no answer must be above the best one',
      number,
    )
    .option('--max_length, --max-length <tokens>', 'tokens after which a text is cut', count);
}

/** How the base below an adapter is kept. */
export function baseDtypeOption(): Option {
  const option = new Option('--base_dtype, --base-dtype <type>', 'how the frozen weights are kept (float32)');
  return option.choices(BASE_DTYPES);
}

/** What flags say of how a file is read, by the keys of a `data` section. */
export function readingFlags(flags: UseFlags): ReadingFlags {
  const { text, textPair, label, source, target, header, quote, labelSeparator } = flags;
  const null_score_diff_threshold = flags.nullScoreDiffThreshold;
  const columns = { text, text_pair: textPair, label, source, target };
  const said = { ...columns, header, quote, label_separator: labelSeparator, null_score_diff_threshold };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as ReadingFlags;
}

/** The flags that say how a model is opened. */
export function openFlags({ model, device, baseDtype, maxLength }: UseFlags): OpenOptions {
  return { model, device, baseDtype, maxLength, onProgress: downloadDisplay(process.stderr) };
}

function column(value: string): string | number {
  return /^\d+$/.test(value) ? Number(value) : value;
}

function number(value: string): number {
  if (value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  throw new InvalidArgumentError('expected a number.');
}

export function count(value: string): number {
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  throw new InvalidArgumentError('expected a count from 1.');
}
