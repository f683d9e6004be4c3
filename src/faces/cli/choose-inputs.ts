import { statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { localData, openContent, openDataFiles } from '../../input/data/node/text-files.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { mediumNamed } from '../../input/media/media.ts';
import type { Medium } from '../../input/media/medium.ts';
import { UserError } from '../../support/user-error.ts';
import type { BaseData, Prediction, ReadingOf } from '../../tasks/prediction.ts';
import type { OpenOptions } from '../../use/trained/model-options.ts';
import { open } from '../../use/trained/node/open.ts';
import type { OpenedModel } from '../../use/trained/opened-model.ts';
import { inShard, type OpenFlags, readingFlags, type Shard, type SplitFlags } from './flags.ts';
import { downloadDisplay, openingDisplay } from './terminal/download-display.ts';
import { warn } from './terminal/screen.ts';

/** Opens a model for the work of a command. */
export async function withModel<Result>(
  path: string,
  { model, device, baseDtype, maxLength }: OpenFlags,
  use: OpenOptions,
  work: (model: OpenedModel) => Promise<Result>,
): Promise<Result> {
  const opened = await open(path, { model, device, baseDtype, maxLength, ...openingDisplay(), ...use });
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

/** Inputs for prediction. */
interface Inputs {
  inputs: unknown[];
  /** The index of each input among all rows, from 0. Skipped rows are counted. */
  places: number[];
  /** Number of skipped rows. */
  skipped: number;
}

/**
 * Resolves what a command reads with a model.
 *
 * @param argument files of a medium, a table, or `-`
 * @param isText whether an argument is a text instead
 * @returns `typed`, the text, or `sources` for {@link readInputs}, neither if standard input is read; and how rows are read
 */
export async function chooseSources(
  model: OpenedModel,
  argument: string | undefined,
  flags: SplitFlags,
  isText: (argument: string) => boolean = () => false,
) {
  const { modality, reading } = model.context();
  const medium = mediumNamed(modality.reads);
  const media = medium && argument !== undefined ? await filesNamed(argument, medium) : undefined;
  const typed = argument !== undefined && !media && isText(argument) ? argument : undefined;
  const named = argument === '-' || typed !== undefined || media ? undefined : argument;
  const files = await namedFiles(named, flags, false);
  return {
    medium,
    typed,
    sources: media ?? files,
    reading: model.definition().files.withFlags(reading, readingFlags(flags), files?.[0]?.name, true),
  };
}

/**
 * The files that an argument or flags name.
 *
 * @throws UserError if both name files, or a file or dataset does not exist
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
  const place = dataset === undefined ? file : (split ?? 'validation');
  if (place === undefined) return undefined;
  return openDataFiles({ dataset, subset }, place, takesFolders, downloadDisplay(process.stderr));
}

/**
 * Reads inputs from files or standard input, and warns about skipped rows.
 *
 * @param options.medium the medium of the files that texts name, relative to their table or to the current folder
 */
export async function readInputs(
  sources: readonly (TextFile | string)[],
  { input: { parse } }: Prediction<BaseData, unknown>,
  reading: ReadingOf<BaseData>,
  { medium, shard }: { medium: Medium | undefined; shard?: Shard | undefined },
): Promise<Inputs> {
  const all: Inputs = { inputs: [], places: [], skipped: 0 };
  for (const source of sources) {
    const before = all.inputs.length + all.skipped;
    const onSkipped = (message: string, count: number) => {
      warn(message);
      all.skipped += count;
    };
    const found =
      typeof source === 'string'
        ? parse(source, undefined, reading, onSkipped)
        : parse(source.read(warn), source.name, reading, onSkipped);
    for (const [i, input] of found.entries()) {
      const { place = i } = Object(input) as { place?: number };
      all.inputs.push(medium ? fileInput(input as { text: string }, source, medium) : input);
      all.places.push(before + place);
    }
  }
  return { ...all, inputs: inShard(all.inputs, shard), places: inShard(all.places, shard) };
}

/** An input whose file is read when its batch comes. It is identified by its name. */
function fileInput(
  input: { text: string; id?: string },
  source: TextFile | string,
  { name }: Medium,
): object {
  const open = (typeof source === 'string' ? undefined : source.openContent) ?? openHere;
  return { ...input, id: input.id ?? input.text, [name]: () => open(input.text) };
}

/** Reads a file that is named relative to the current folder. */
export async function openHere(name: string): Promise<Uint8Array> {
  return openContent('.', name);
}

/** The files that an argument names, a line for each: one file, or those in a folder. */
async function filesNamed(argument: string, medium: Medium): Promise<string[] | undefined> {
  if (medium.files.test(argument)) return [reachable(argument)];
  if (!statSync(argument, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  return [
    localData
      .mediaIn(argument, medium)
      .map((name) => reachable(join(argument, name)))
      .join('\n'),
  ];
}

/** A path as it is opened: a relative one must stay in the current folder. */
function reachable(path: string): string {
  return relative('.', path).startsWith('..') ? resolve(path) : path;
}
