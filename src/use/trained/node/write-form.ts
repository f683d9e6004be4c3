import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { editJson } from '../../../input/formats/bounded-json.ts';
import { assertNewFolder } from '../../../input/formats/node/folder-files.ts';
import { atomicCopy, atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { UserError } from '../../../support/user-error.ts';
import { SHARED_FILES } from '../full-model.ts';
import { LAYER_FILE } from '../layer-file.ts';
import { NOTES_FILE } from '../notes.ts';
import { SENTENCE_FILES } from '../sentence-files.ts';
import type { WrittenForm } from '../written-form.ts';

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

/** Copies the files that a derived model shares with its base. Throws a UserError like {@link sharedFiles}. */
export function copySharedFiles(from: string, to: string): void {
  for (const [file, path] of sharedFiles(from)) atomicCopy(path, join(to, file));
}

/**
 * The files of a base model's folder that a derived model copies: their real paths, by name.
 *
 * @throws UserError for a path that is not a file, and for a link that leads out of the folder, because its target may
 * be private. In the Hub's cache, which consists of links, a link must stay in its repository.
 */
export function sharedFiles(folder: string): Map<string, string> {
  const home = realpathSync(folder);
  const blobs = basename(dirname(home)) === 'snapshots' ? join(home, '..', '..', 'blobs') : home;
  const present = SHARED_FILES.filter((name) => existsSync(join(folder, name)));
  return new Map(
    present.map((name) => {
      const path = realpathSync(join(folder, name));
      const isWithin = [home, blobs].some((root) => path.startsWith(root + sep));
      if (isWithin && statSync(path).isFile()) return [name, path];
      throw new UserError({
        where: join(folder, name),
        fault: `cannot be copied beside the new weights: it is ${isWithin ? 'a folder or a device' : `a link to ${path}`}`,
        hint: 'Put a copy of the file in its place.',
      });
    }),
  );
}
