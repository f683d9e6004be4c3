import { UserError } from '../../../support/user-error.ts';
import type { ByteSource } from '../byte-source.ts';
import { excerpt } from '../excerpt.ts';
import { PickleReader } from './pickle-reader.ts';
import { openStoredZip, type StoredZip } from './stored-zip.ts';
import { storageOf, TORCH_GLOBALS } from './torch-globals.ts';
import { MAX_PICKLE_BYTES, type TorchContent } from './torch-tensor.ts';
import { unpickle } from './unpickle.ts';

const BYTE_ORDER_BYTES = 64;

/**
 * Opens a file in the format since PyTorch 1.6: a zip archive with one pickle, and one entry per storage.
 * Throws a UserError.
 */
export function openTorchArchive(source: ByteSource, where: string): TorchContent {
  const zip = openStoredZip(source, where);
  const folder = findFolder(zip, where);
  checkByteOrder(source, zip, `${folder}byteorder`, where);
  const { begin, end } = zip.locate(`${folder}data.pkl`)!;
  if (end - begin > MAX_PICKLE_BYTES) {
    throw new UserError({
      where,
      fault: `has a pickle of ${end - begin} bytes, more than the maximum of ${MAX_PICKLE_BYTES}`,
    });
  }
  const reader = new PickleReader(source.read(begin, end));
  const value = unpickle(reader, { globals: TORCH_GLOBALS, persistent: storageOf, where });
  return { value, locate: (key) => zip.locate(`${folder}data/${key}`) };
}

/** The archive's top folder, with a trailing slash. */
function findFolder(zip: StoredZip, where: string): string {
  const pickles = zip.names().filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (pickles.length === 1) return pickles[0]!.slice(0, -'data.pkl'.length);
  throw new UserError({ where, fault: `has ${pickles.length} data.pkl files instead of one` });
}

function checkByteOrder(source: ByteSource, zip: StoredZip, name: string, where: string): void {
  const range = zip.locate(name);
  if (!range) return;
  const end = Math.min(range.end, range.begin + BYTE_ORDER_BYTES);
  const order = new TextDecoder().decode(source.read(range.begin, end));
  if (order === 'little') return;
  throw new UserError({
    where,
    fault: `has tensors in the byte order ${excerpt(order)} instead of little-endian`,
    hint: 'Load the file with PyTorch and save it as safetensors.',
  });
}
