import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Device } from '../../engine/runtime/session.ts';
import { ON_BAD_ROW } from '../../input/data/rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { BASE_DTYPES, type BaseDtype } from '../../program/bases/base-dtype.ts';
import { UserError } from '../../support/user-error.ts';
import type { ReadingFlags } from '../../tasks/task-definition.ts';
import type { OpenOptions } from '../../use/trained/node/open-options.ts';
import { downloadDisplay } from './terminal/download-display.ts';
import { openingDisplay } from './terminal/opening-display.ts';

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
  delimiter?: string;
  onBadRow?: string;
  maxLength?: number;
}

export function checkpointOption(): Option {
  return new Option(
    '--checkpoint <step>',
    'step of a checkpoint to use (default: the result of the run)',
  ).argParser(count);
}

/** The option for the number of compute threads. */
export function threadsOption(): Option {
  return new Option('--threads <n>', 'compute threads (default: ADALORA_THREADS, or one per core)').argParser(
    count,
  );
}

/** The setting of a run's config that `--threads` stands for. */
export function threadsSetting(threads: number | undefined): string[] {
  return threads === undefined ? [] : [`threads=${threads}`];
}

/** Adds the flags that change how a model is opened. */
export function addOpenFlags(command: Command): Command {
  return command
    .option('--model <folder or id>', 'base model (default: the one that the adapter names)')
    .addOption(checkpointOption())
    .addOption(new Option('--device <device>', 'device to compute on').choices(['cpu', 'webgpu', 'wasm']))
    .addOption(threadsOption())
    .addOption(baseDtypeOption())
    .option('--max_length, --max-length <tokens>', 'truncate texts to this many tokens', count);
}

/** Adds the flags for reading a file of texts. They have the names of keys in the `data` section. */
export function addTextFlags(command: Command): Command {
  return command
    .option(
      '--text <column>',
      'text column, by name or by number from 0 (default for this and all options on reading files: as in training)',
      column,
    )
    .option('--header', 'the first line is a header')
    .option('--no-header', 'the first line is a row')
    .option('--quote', 'double quotes enclose fields')
    .option('--no-quote', 'double quotes are plain characters')
    .option('--delimiter <character>', 'field separator');
}

/** Adds all flags of {@link UseFlags}. */
export function addUseFlags(command: Command): Command {
  return addTextFlags(addOpenFlags(command))
    .option('--text_pair, --text-pair <column>', 'column of the second text', column)
    .option('--label <column>', 'label column', column)
    .option('--source <column>', 'column of the input text (seq2seq)', column)
    .option('--target <column>', 'column of the text to generate (seq2seq)', column)
    .option(
      '--label_separator, --label-separator <text>',
      'character between the labels, if a row has several',
    )
    .option(
      '--null_score_diff_threshold, --null-score-diff-threshold <number>',
      'margin by which "no answer" must beat the best answer (SQuAD 2.0)',
      number,
    )
    .addOption(
      new Option('--on_bad_row, --on-bad-row <what>', 'what to do with rows that cannot be read').choices(
        ON_BAD_ROW,
      ),
    );
}

/** Flags that name a split of a data set on the Hub instead of a file. */
export interface SplitFlags {
  dataset?: string;
  subset?: string;
  split?: string;
}

/** Adds the flags of {@link SplitFlags}. */
export function addSplitFlags(command: Command): Command {
  return command
    .option('--dataset <owner/name>', 'data set of the Hub, instead of a file')
    .option('--subset <name>', 'subset of the data set')
    .option('--split <name>', 'split of the data set (default: validation)');
}

/**
 * The files that an argument or flags name.
 *
 * @throws UserError if both name files, or a file or data set does not exist
 */
export async function namedFiles(
  file: string | undefined,
  { dataset, subset, split }: SplitFlags,
  takesFolders: boolean,
): Promise<TextFile[] | undefined> {
  if (file !== undefined && dataset !== undefined)
    throw new UserError({ key: '--dataset', fault: 'cannot be combined with a file' });
  const stray = dataset === undefined && (subset ?? split);
  if (stray) throw new UserError({ key: '--dataset', fault: `is required with ${stray}` });
  const { filesOf } = await import('../../input/data/node/files-of.ts');
  const place = dataset === undefined ? file : (split ?? 'validation');
  if (place === undefined) return undefined;
  return filesOf({ dataset, subset }, place, takesFolders, downloadDisplay(process.stderr));
}

export function baseDtypeOption(): Option {
  const option = new Option(
    '--base_dtype, --base-dtype <type>',
    'precision of the frozen weights (default: float32)',
  );
  return option.choices(BASE_DTYPES);
}

/** The flags that change how a data file is read. */
export function readingFlags(flags: UseFlags): ReadingFlags {
  const { label, source, target, header, quote, delimiter } = flags;
  // The flag --no-text is about the output.
  const text = (flags.text as unknown) === false ? undefined : flags.text;
  const { textPair: text_pair, labelSeparator: label_separator, onBadRow: on_bad_row } = flags;
  const null_score_diff_threshold = flags.nullScoreDiffThreshold;
  const columns = { text, text_pair, label, source, target };
  const reading = { header, quote, label_separator, delimiter, on_bad_row, null_score_diff_threshold };
  const said = { ...columns, ...reading };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as ReadingFlags;
}

/** The flags that change how a model is opened. */
export function openFlags({ model, device, baseDtype, maxLength }: UseFlags): OpenOptions {
  return { model, device, baseDtype, maxLength, ...openingDisplay() };
}

/** Parses a column flag: a name, or a number from 0. */
export function column(value: string): string | number {
  return /^\d+$/.test(value) ? Number(value) : value;
}

function number(value: string): number {
  if (value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  throw new InvalidArgumentError('Use a number.');
}

export function count(value: string): number {
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Use a whole number from 1.');
}

/** Parses a TCP port; 0 means any free port. */
export function portNumber(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) < 2 ** 16) return Number(value);
  throw new InvalidArgumentError('Use a port from 0 to 65535.');
}
