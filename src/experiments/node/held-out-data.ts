import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { dataFiles, isReadInFolders } from '../../data/node/text-files.ts';
import type { DataOptions } from '../../data/row.ts';
import { tableLayout } from '../../data/table-layout.ts';
import type { ParsedConfig } from '../../run/config/run-config.ts';
import { atomicWrite } from '../../store/node/atomic-write.ts';
import { makeFolder } from '../../store/node/make-folder.ts';
import { UserError } from '../../support/user-error.ts';
import { trainingFiles } from '../../tasks/data-files.ts';
import { taskNamed } from '../../tasks/registry.ts';
import { type HeldOut, holdOut } from '../hold-out.ts';
import { percent } from '../percent.ts';

/** Keys of a `data` section that name columns. */
const COLUMNS = ['text', 'text_pair', 'label', 'source', 'target'];

/** The replacement of keys of a `data` section. Without `train`, the run itself holds the rows out. */
export interface HeldOutPlaces {
  train?: string | string[];
  validation: string;
}

/**
 * Splits the training rows: some to train on, and some to compare choices. Files are written for each part. Every
 * process writes the same files. Rows of a mixture, of a data set on the Hub, and of a task that takes folders are held
 * out by each run if the task can. Every run holds out the same rows.
 *
 * @param folder the folder for the files
 * @throws UserError for rows that cannot be split, and for files that are unreadable or too small
 */
export async function writeHeldOut(
  { task, data }: Pick<ParsedConfig, 'task' | 'data'>,
  share: number,
  folder: string,
): Promise<HeldOutPlaces> {
  const definition = taskNamed(task);
  const isMixture = typeof data.train !== 'string';
  if (
    definition.files.splittable &&
    (isMixture || data.dataset !== undefined || definition.files.takesFolders)
  )
    return { validation: percent(share) };
  if (data.dataset !== undefined) {
    throw new UserError({
      key: 'data.dataset',
      fault: `cannot be split into training and held-out rows for task ${task}: only files can`,
      hint: 'Use a file in data.train. Or set held_out: 0 to choose by data.validation, whose scores are then no longer test scores.',
    });
  }
  const sources = await Promise.all(trainingFiles(data).map((path) => split(path, { task, data }, share)));
  const [train, heldOut] = ['train', 'held-out'].map((name) => join(folder, name)) as [string, string];
  if (!isMixture)
    return { train: place(train, sources[0]!, 'train'), validation: place(heldOut, sources[0]!, 'heldOut') };
  // All held-out files are one validation set, in one folder.
  const all = sources.flatMap((files, i) =>
    files.map((file) => ({ ...file, name: inFolder(`${i + 1}-${file.name}`) })),
  );
  return {
    train: sources.map((files, i) => place(join(train, `${i + 1}`), files, 'train')),
    validation: place(heldOut, all, 'heldOut'),
  };
}

type SplitFile = HeldOut & { name: string };

/** Splits each file of a source. */
async function split(
  path: string,
  { task, data }: Pick<ParsedConfig, 'task' | 'data'>,
  share: number,
): Promise<SplitFile[]> {
  const { takesFolders, takesTables } = taskNamed(task).files;
  const columns = Object.entries(data as object).filter(([key]) => COLUMNS.includes(key));
  const reading = data as Pick<DataOptions, 'header' | 'quote' | 'delimiter'>;
  const header = reading.header ?? columns.some(([, column]) => typeof column === 'string');
  return (await dataFiles(path, takesFolders)).map((file) => {
    // The text may have been decompressed or converted, and the file name must match it.
    const name = basename(file.name)
      .replace(/\.gz$/i, '')
      .replace(/\.parquet$/i, '.jsonl');
    const content = file.read().replace(/^\ufeff/, '');
    const layout = takesTables ? tableLayout(content, name, reading) : undefined;
    return { name, ...holdOut(content, name, share, layout && { header, quote: layout.quote }) };
  });
}

/** Writes one part of each file into a folder. Returns the path of the folder, or of its only file. */
function place(folder: string, files: readonly SplitFile[], part: keyof HeldOut): string {
  makeFolder(folder);
  for (const file of files) atomicWrite(join(folder, file.name), file[part]);
  removeOthers(
    folder,
    files.map(({ name }) => name),
  );
  return files.length === 1 ? join(folder, files[0]!.name) : folder;
}

/** The name under which a text file is found in a folder. */
function inFolder(name: string): string {
  return isReadInFolders(name) ? name : `${name}.txt`;
}

/**
 * Splits the training rows of several configs. Configs with equal `data` share the files.
 *
 * @returns the replacement of `data.train` and `data.validation` for each config
 */
export async function writeAllHeldOut(
  configs: readonly Pick<ParsedConfig, 'task' | 'data'>[],
  share: number,
  output: string,
): Promise<HeldOutPlaces[]> {
  const written = new Map<string, HeldOutPlaces>();
  const all = [];
  for (const { task, data } of configs) {
    const key = JSON.stringify([task, data]);
    const folder = join(output, 'data', String(written.size + 1));
    const parts = written.get(key) ?? (await writeHeldOut({ task, data }, share, folder));
    written.set(key, parts);
    all.push(parts);
  }
  return all;
}

/** Removes other files, because all files of a folder are read together. An earlier sweep may have left them. */
function removeOthers(folder: string, names: readonly string[]): void {
  // A file whose name starts with a dot is being written by another shard.
  const others = readdirSync(folder).filter((name) => !names.includes(name) && !name.startsWith('.'));
  for (const name of others) rmSync(join(folder, name), { recursive: true, force: true });
}
