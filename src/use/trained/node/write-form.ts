import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { editJson } from '../../../input/formats/bounded-json.ts';
import { assertNewFolder } from '../../../input/formats/node/folder-files.ts';
import { atomicCopy, atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { LAYER_FILE } from '../layer-file.ts';
import { NOTES_FILE } from '../notes.ts';
import { SENTENCE_FILES } from '../sentence-files.ts';
import type { WrittenForm } from '../written-form.ts';
import { copySharedFiles } from './shared-files.ts';

/**
 * Writes a form of a model to a new folder. Each file is written atomically.
 *
 * @throws UserError for a folder with files in it, and like {@link copySharedFiles}
 */
export function writeForm(
  { folder, baseFolder }: { folder: string; baseFolder?: string },
  { files, copies: { ofBase, notes } }: WrittenForm,
  output: string,
): void {
  assertNewFolder(output);
  if (ofBase && baseFolder !== undefined) copySharedFiles(baseFolder, output);
  if (notes) copyNotes(folder, output, notes === 'merged');
  for (const [name, content] of files) atomicWrite(join(output, name), content);
}

/**
 * Copies the files in an adapter's folder that describe its use: adalora's notes, the linear layer
 * on sentence vectors and sentence-transformers' files.
 */
function copyNotes(from: string, to: string, isMerged: boolean): void {
  for (const name of [LAYER_FILE, NOTES_FILE, ...Object.values(SENTENCE_FILES)]) {
    const [path, copy] = [join(from, name), join(to, name)];
    if (!existsSync(path)) continue;
    if (isMerged && name === NOTES_FILE) atomicWrite(copy, withoutBase(readFileSync(path, 'utf8')));
    else atomicCopy(path, copy);
  }
}

function withoutBase(notes: string): string {
  return `${editJson(notes, ({ base_dtype: _, ...rest }) => rest)}\n`;
}
