import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { nearest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';
import { checkTextSize, decodeText } from '../decode-text.ts';
import type { TextFile } from '../text-file.ts';

/** What of a folder is text to learn from. */
const IN_FOLDERS = /\.(txt|jsonl|ndjson|json)$/i;

/**
 * A file of text in UTF-8, with or without byte-order mark, to be read later.
 *
 * @throws UserError for one that is missing or too large; when it is read, for one that is not UTF-8
 */
export function textFile(path: string): TextFile {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw missing(path);
  if (!stats.isFile()) {
    const got = stats.isDirectory() ? 'a folder' : 'a device or a pipe';
    throw new UserError({ where: path, expected: 'a file', got });
  }
  return fileOf(path, stats);
}

/** A file, or the text files of a folder (`.txt`, JSON Lines) by name. Throws a UserError as {@link textFile} does. */
export function textFiles(path: string): TextFile[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [textFile(path)];
  const names = readdirSync(path).filter((name) => IN_FOLDERS.test(name));
  const files = names.sort().map((name) => textFile(join(path, name)));
  if (files.length > 0) return files;
  throw new UserError({
    where: path,
    expected: 'text files in it (.txt, .jsonl)',
    got: 'a folder without any',
  });
}

function fileOf(path: string, { size }: Stats): TextFile {
  checkTextSize(size, path);
  return { name: path, size, read: () => decodeText(readFileSync(path), path) };
}

function missing(path: string): UserError {
  let siblings: string[] = [];
  try {
    siblings = readdirSync(dirname(path));
  } catch {
    return new UserError({ where: path, expected: 'a file', got: `no folder ${dirname(path)}` });
  }
  const near = nearest(basename(path), siblings);
  const hint = near.length > 0 ? `Did you mean ${near.join(', ')}?` : undefined;
  return new UserError({ where: path, expected: 'a file', got: 'nothing', hint });
}
