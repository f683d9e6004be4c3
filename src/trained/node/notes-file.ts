import { copyFileSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../formats/node/make-folder.ts';
import { readJson } from '../../formats/node/read-text.ts';
import { NOTES_FILE, type Notes, parseNotes } from '../notes.ts';
import { SENTENCE_FILES } from '../sentence-files.ts';

/** The notes of an adapter or a model; undefined if another program wrote it. */
export function readNotes(folder: string): Notes | undefined {
  const path = join(folder, NOTES_FILE);
  return existsSync(path) ? parseNotes(readJson(path, 'notes of this program'), path) : undefined;
}

/** Copies the files in an adapter's folder that describe its use: our notes, and sentence-transformers' files. */
export function copyNotes(from: string, to: string): void {
  for (const name of [NOTES_FILE, ...Object.values(SENTENCE_FILES)]) {
    const [path, copy] = [join(from, name), join(to, name)];
    if (!existsSync(path)) continue;
    makeFolder(dirname(copy));
    copyFileSync(path, copy);
  }
}
