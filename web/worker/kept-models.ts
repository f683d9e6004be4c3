import { asFiles, type Files } from '../../src/input/formats/files.ts';
import type { Medium } from '../data/row-files.ts';
import { openPrivateFiles, readFile, writeFile } from './run-store.ts';

/** A model from the Hub in the browser's private files. */
export interface KeptModel {
  name: string;
  medium: Medium;
  bytes: number;
}

/** Every model has a folder with its files. The file that describes it is written last. */
const [FOLDER, ABOUT] = ['models', 'about this model'];

async function modelsFolder(): Promise<FileSystemDirectoryHandle | undefined> {
  return (await openPrivateFiles())?.getDirectoryHandle(FOLDER, { create: true });
}

/** All complete models. */
export async function keptModels(): Promise<KeptModel[]> {
  const models: KeptModel[] = [];
  for await (const folder of (await modelsFolder())?.values() ?? []) {
    const about = folder.kind === 'directory' && (await readFile(folder as FileSystemDirectoryHandle, ABOUT));
    if (about) models.push(JSON.parse(await about.text()));
  }
  return models;
}

/** The files of a kept model. */
export async function openKept(name: string): Promise<Files> {
  const folder = await (await modelsFolder())!.getDirectoryHandle(encodeURIComponent(name));
  const files = new Map<string, Blob>();
  for await (const [path, handle] of folder)
    if (handle.kind === 'file' && path !== ABOUT)
      files.set(decodeURIComponent(path), await (handle as FileSystemFileHandle).getFile());
  return asFiles(files, name);
}

/**
 * Keeps a model.
 *
 * @param files the files, by their paths in the model's folder
 * @param fill writes the content of a file
 */
export async function keepModel(
  model: KeptModel,
  files: Iterable<string>,
  fill: (path: string, file: FileSystemWritableFileStream) => Promise<void>,
): Promise<void> {
  await forgetModel(model.name);
  const folder = await (await modelsFolder())!.getDirectoryHandle(encodeURIComponent(model.name), {
    create: true,
  });
  for (const path of files) {
    const handle = await folder.getFileHandle(encodeURIComponent(path), { create: true });
    const writable = await handle.createWritable();
    try {
      await fill(path, writable);
    } catch (error) {
      await writable.abort();
      throw error;
    }
    await writable.close();
  }
  await writeFile(folder, ABOUT, JSON.stringify(model));
}

/** Deletes a kept model, also an incomplete one. */
export async function forgetModel(name: string): Promise<void> {
  await (await modelsFolder())?.removeEntry(encodeURIComponent(name), { recursive: true }).catch(() => {});
}
