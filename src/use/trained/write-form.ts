import { encodeAdapter } from '../../input/formats/adapters/encode-adapter.ts';
import { editJson } from '../../input/formats/bounded-json.ts';
import {
  assertNewFolder,
  type FolderFiles,
  fileChunks,
  isBelow,
  readText,
} from '../../input/formats/files.ts';
import { CHAT_TEMPLATE_FILE } from '../../input/text/chat/chat-template.ts';
import { assertOptions } from '../../support/options.ts';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { EXPORT_FORMS, type WrittenForm } from './export-forms.ts';
import { assertFiniteValues } from './finite-values.ts';
import { SHARED_FILES } from './full-model.ts';
import { LAYER_FILE } from './layer-file.ts';
import { NOTES_FILE } from './notes.ts';
import { SENTENCE_FILES } from './sentence-files.ts';
import type { OpenedTuned } from './trained-parts.ts';

/**
 * Writes a form of a model to a new folder. Each file is written atomically.
 *
 * @throws UserError for a folder with files in it, and like {@link copySharedFiles}
 */
export function writeForm(
  disk: FolderFiles,
  { folder, baseFolder }: { folder: string; baseFolder?: string },
  { files, copies: { ofBase, notes } }: WrittenForm,
  output: string,
): void {
  assertNewFolder(disk, output);
  const written = disk.within(output);
  if (ofBase && baseFolder !== undefined) copySharedFiles(disk, baseFolder, written);
  if (notes) copyNotes(disk.within(folder), written, notes === 'merged');
  for (const [name, content] of files) written.write(name, content);
}

/**
 * Copies the files in an adapter's folder that describe its use: adalora's notes, the linear layer
 * on sentence vectors and sentence-transformers' files.
 */
function copyNotes(from: FolderFiles, to: FolderFiles, isMerged: boolean): void {
  const ofAdapter = isMerged ? [] : [CHAT_TEMPLATE_FILE];
  for (const name of [LAYER_FILE, NOTES_FILE, ...ofAdapter, ...Object.values(SENTENCE_FILES)]) {
    if (!from.has(name)) continue;
    if (isMerged && name === NOTES_FILE) to.write(name, withoutBase(readText(from, name, 'notes')));
    else to.write(name, fileChunks(from, name));
  }
}

function withoutBase(notes: string): string {
  return `${editJson(notes, ({ base_dtype: _, ...rest }) => rest)}\n`;
}

/** Copies the files that a derived model shares with its base. Throws a UserError like {@link sharedFiles}. */
export function copySharedFiles(disk: FolderFiles, from: string, to: FolderFiles): void {
  for (const [name, path] of sharedFiles(disk, from)) to.write(name, fileChunks(disk, path));
}

/**
 * The files of a base model's folder that a derived model copies: their real paths, by name.
 *
 * @throws UserError for a path that is not a file, and for a link that leads out of the folder, because its target may
 * be private. In the Hub's cache, which consists of links, a link must stay in its repository.
 */
export function sharedFiles(disk: FolderFiles, folder: string): Map<string, string> {
  const files = disk.within(folder);
  const home = files.realPath('');
  const isSnapshot = /[\\/]snapshots[\\/][^\\/]+$/.test(home);
  const blobs = isSnapshot ? disk.path(`${home}/../../blobs`) : home;
  return new Map(
    SHARED_FILES.filter(files.has).map((name) => {
      const path = files.realPath(name);
      const isWithin = [home, blobs].some((root) => isBelow(path, root));
      if (isWithin && disk.stat(path)?.kind === 'file') return [name, path];
      throw new UserError({
        where: files.path(name),
        fault: `cannot be copied beside the new weights: it is ${isWithin ? 'a folder or a device' : `a link to ${path}`}`,
        hint: 'Put a copy of the file in its place.',
      });
    }),
  );
}

/**
 * An adapter in another equivalent form.
 *
 * @throws UserError that names the available forms, and for values that are not finite
 */
export function adapterForm(
  { adapter, folder }: Pick<OpenedTuned, 'adapter' | 'folder'>,
  form: string,
  options: object = {},
): WrittenForm {
  assertOptions(`export as ${form}`, options, {});
  const written = adapter?.kind.exports?.[form];
  if (!adapter || !written) {
    const { exports = {}, unmergeable } = adapter?.kind ?? {};
    // All other forms contain the sum of the weights and the adapter, or its increments.
    const known = [...Object.keys(exports), ...(unmergeable === undefined ? Object.keys(EXPORT_FORMS) : [])];
    throw new UserError({
      where: folder,
      fault: `is ${adapter ? `an adapter of kind ${adapter.kind.name}` : 'a whole model'}, which cannot be exported as ${form}`,
      hint: known.length > 0 ? suggest(form, known) : 'Use it as it is, with its base model.',
      code: 'unsupported',
    });
  }
  const made = written(adapter.stored, folder);
  for (const [name, { data }] of made.tensors) assertFiniteValues(data, `${folder}: ${name}`);
  return { files: encodeAdapter(made), copies: { notes: 'adapter' } };
}
