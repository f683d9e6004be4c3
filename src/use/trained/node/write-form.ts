import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { editJson } from '../../../input/formats/bounded-json.ts';
import { atomicCopy, atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { LAYER_FILE } from '../layer-file.ts';
import { NOTES_FILE } from '../notes.ts';
import { SENTENCE_FILES } from '../sentence-files.ts';

/**
 * Copies the files in an adapter's folder that describe its use: adalora's notes, the linear layer
 * on sentence vectors and sentence-transformers' files.
 *
 * @param merged whether they describe a merged model, which needs no base
 */
export function copyNotes(from: string, to: string, { merged = false } = {}): void {
  for (const name of [LAYER_FILE, NOTES_FILE, ...Object.values(SENTENCE_FILES)]) {
    const [path, copy] = [join(from, name), join(to, name)];
    if (!existsSync(path)) continue;
    if (merged && name === NOTES_FILE) atomicWrite(copy, withoutBase(readFileSync(path, 'utf8')));
    else atomicCopy(path, copy);
  }
}

function withoutBase(notes: string): string {
  return `${editJson(notes, ({ base_dtype: _, ...rest }) => rest)}\n`;
}
