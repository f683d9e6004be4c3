import { splitRange } from '../../input/formats/byte-source.ts';
import { rememberedHash, SMALL_BYTES } from '../../input/formats/content-digest.ts';
import { streamSafetensors } from '../../input/formats/encode-safetensors.ts';
import { type FolderFiles, openFile } from '../../input/formats/files.ts';
import { SafetensorsFile } from '../../input/formats/safetensors.ts';
import type { MadeTensor } from '../../input/formats/tensor-data.ts';
import { elementCount } from '../../support/arrays.ts';
import { fileError, UserError } from '../../support/user-error.ts';
import type { ModelMachine } from '../machine.ts';

/**
 * Copies of a checkpoint's weights in another form, kept in the user's cache. Several processes may write one at a time, and a
 * damaged one is written again.
 */

/** The file of a copy, in a folder of its own. */
export const COPY = 'model.safetensors';
/** The last tensor of a copy: the SHA-256 of all bytes before it, as hexadecimal text. */
export const DIGEST = 'sha256';
const DIGEST_BYTES = 64;
/** Increase it when the format of the files changes, or what their values are computed from. */
const VERSION = 5;

/** Called with the share of a copy that is written, from 0 to 1. */
export type OnWritten = (share: number) => void;

type Machine = Pick<ModelMachine, 'disk' | 'cacheFolder'>;

/** A name for what is derived from weight files. It changes with their content and with `how`. */
export function copyKey({ disk }: Machine, files: readonly string[], how: object): string {
  const described = files.map((file) => [disk.digest(file)]);
  const text = JSON.stringify([VERSION, how, described.sort()]);
  return disk.newHash().update(text).digest('hex').slice(0, 32);
}

/**
 * Writes a copy. At most one tensor is in memory. If another process has written it in the meantime, its file is kept.
 *
 * @param tensors each is made after those before it
 */
export function writeCopy(
  machine: Machine,
  folder: FolderFiles,
  tensors: readonly MadeTensor[],
  onWritten: OnWritten = () => {},
): void {
  const file = folder.newFile(COPY);
  const isIntact = (name: string) => {
    const copy = intactCopy(machine, folder, name);
    copy?.close();
    return copy !== undefined;
  };
  try {
    for (const chunk of encodeCopy(folder, tensors, onWritten)) file.write(chunk);
    if (!file.publish(isIntact)) throw new Error(`${folder.path(COPY)} cannot be read back`);
  } finally {
    file.discard();
  }
}

function* encodeCopy(
  folder: FolderFiles,
  tensors: readonly MadeTensor[],
  onWritten: OnWritten,
): Generator<Uint8Array> {
  const hash = folder.newHash();
  let isHashed = false;
  const digest: MadeTensor = {
    name: DIGEST,
    dtype: 'U8',
    shape: [DIGEST_BYTES],
    make() {
      isHashed = true;
      return [new TextEncoder().encode(hash.digest('hex'))];
    },
  };
  const byName = new Map([...tensors, digest].map((tensor) => [tensor.name, tensor]));
  const all = [...byName.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);
  let written = 0;
  function* make(name: string) {
    const { shape, make } = byName.get(name)!;
    yield* make();
    written += elementCount(shape);
    onWritten(written / all);
  }
  for (const chunk of streamSafetensors(byName, make, {}, true)) {
    if (!isHashed) hash.update(chunk);
    yield chunk;
  }
}

export function openCopy(folder: FolderFiles, name = COPY): SafetensorsFile {
  return SafetensorsFile.open(openFile(folder, name, 'a safetensors file'));
}

/** Undefined if missing or damaged; the caller writes it again. The hash is computed once, until the file changes. */
export function intactCopy(machine: Machine, folder: FolderFiles, name = COPY): SafetensorsFile | undefined {
  if (!folder.has(name)) return undefined;
  let copy: SafetensorsFile | undefined;
  try {
    copy = openCopy(folder, name);
    const stored = new TextDecoder().decode(copy.read(DIGEST) as Uint8Array);
    const cache = machine.disk.within(machine.cacheFolder()).within('copies');
    const found = rememberedHash(machine.disk, folder.path(name), cache, SMALL_BYTES, (file) => {
      const hash = folder.newHash();
      for (const range of splitRange(0, file.size - DIGEST_BYTES)) hash.update(file.read(...range));
      return hash;
    });
    if (found === stored) return copy;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  copy?.close();
  return undefined;
}

/** The cache may be in a folder that cannot be written, as in a container, or on a disk without room. */
export function refuseCache(error: unknown): never {
  const failed = fileError(error);
  throw failed ? new UserError(`${failed.message} Set ADALORA_CACHE to a writable folder with room.`) : error;
}
