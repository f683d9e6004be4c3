import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../../formats/node/read-text.ts';
import { NOTES_FILE, type Notes, parseNotes } from '../notes.ts';

/** The notes of an adapter or a model; undefined for one that another program wrote. */
export function readNotes(folder: string): Notes | undefined {
  const path = join(folder, NOTES_FILE);
  return existsSync(path) ? parseNotes(readJson(path, 'notes of this program'), path) : undefined;
}

/** For what is made of an adapter; does nothing where it has no notes. */
export function copyNotes(from: string, to: string): void {
  if (existsSync(join(from, NOTES_FILE))) copyFileSync(join(from, NOTES_FILE), join(to, NOTES_FILE));
}
