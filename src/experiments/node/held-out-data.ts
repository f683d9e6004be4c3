import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { dataFiles } from '../../data/node/text-files.ts';
import type { DataOptions } from '../../data/row.ts';
import { tableLayout } from '../../data/table-layout.ts';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { makeFolder } from '../../formats/node/make-folder.ts';
import type { ParsedConfig } from '../../run/config/run-config.ts';
import { UserError } from '../../support/user-error.ts';
import { taskNamed } from '../../tasks/registry.ts';
import { holdOut } from '../hold-out.ts';

/** Keys of a `data` section that name columns. */
const COLUMNS = ['text', 'text_pair', 'label', 'source', 'target'];

/**
 * Splits the training rows into two files: one to train on, and one to compare choices. Every process writes
 * the same files.
 *
 * @param folder the folder for both files
 * @returns the replacement of `data.train` and `data.validation`
 * @throws UserError for a data set on the Hub, and for files that are unreadable or too small
 */
export async function writeHeldOut(
  { task, data }: Pick<ParsedConfig, 'task' | 'data'>,
  share: number,
  folder: string,
): Promise<{ train: string; validation: string }> {
  if (data.dataset !== undefined) {
    throw new UserError({
      key: 'data.dataset',
      fault: 'cannot be split into training and held-out rows: only files can',
      hint: 'Use a file in data.train. Or set held_out: 0 to choose by data.validation, whose scores are then no longer test scores.',
    });
  }
  if (typeof data.train !== 'string') {
    throw new UserError({
      key: 'data.train',
      fault: 'cannot be a list here, because rows are held out of one file',
      hint: 'Use a file in data.train. Or set held_out: 0 to choose by data.validation, whose scores are then no longer test scores.',
    });
  }
  const { takesFolders, takesTables } = taskNamed(task);
  const files = await dataFiles(data.train, takesFolders);
  const [train, validation] = ['train', 'held-out'].map((name) => join(folder, name));
  makeFolder(train);
  makeFolder(validation);
  const columns = Object.entries(data as object).filter(([key]) => COLUMNS.includes(key));
  const reading = data as Pick<DataOptions, 'header' | 'quote' | 'delimiter'>;
  const header = reading.header ?? columns.some(([, column]) => typeof column === 'string');
  const names = files.map((file) => {
    // The text may have been decompressed or converted, and the file name must match it.
    const name = basename(file.name)
      .replace(/\.gz$/i, '')
      .replace(/\.parquet$/i, '.jsonl');
    const content = file.read().replace(/^\ufeff/, '');
    const layout = takesTables ? tableLayout(content, name, reading) : undefined;
    const parts = holdOut(content, name, share, layout && { header, quote: layout.quote });
    atomicWrite(join(train, name), parts.train);
    atomicWrite(join(validation, name), parts.heldOut);
    return name;
  });
  for (const part of [train, validation]) removeOthers(part, names);
  return names.length === 1
    ? { train: join(train, names[0]), validation: join(validation, names[0]) }
    : { train, validation };
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
): Promise<{ train: string; validation: string }[]> {
  const written = new Map<string, { train: string; validation: string }>();
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
