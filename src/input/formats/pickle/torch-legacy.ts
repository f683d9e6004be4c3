import { UserError } from '../../../support/user-error.ts';
import type { ByteSource } from '../byte-source.ts';
import { itemSize } from '../tensor-data.ts';
import { PickleList, type PickleOptions } from './pickle-machine.ts';
import { PickleReader } from './pickle-reader.ts';
import { storageOf, TORCH_GLOBALS } from './torch-globals.ts';
import { MAX_PICKLE_BYTES, type TorchContent, type TorchStorage } from './torch-tensor.ts';
import { unpickle } from './unpickle.ts';
import { type ByteRange, viewOf } from './zip-directory.ts';

/** The end of the first pickle, which contains the magic number 0x1950a86a20f9469cfc6c. */
const MAGIC = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
/** Possible offsets of these bytes: after the protocol, or (since protocol 4) after a frame. */
const MAGIC_AT = [2, 11];
const PROTOCOL = 1001;
/** Size of the 64-bit number of elements that precedes each storage's bytes. */
const COUNT_BYTES = 8;

/**
 * Opens a file in the format before PyTorch 1.6. It consists of five pickles: a magic number, a protocol
 * number, the machine's properties, the saved value, and the list of its storages. Then the bytes of the
 * storages follow in this order, unaligned.
 *
 * @throws UserError
 */
export function openTorchLegacy(source: ByteSource, where: string): TorchContent {
  const head = source.read(0, Math.min(source.size, MAX_PICKLE_BYTES));
  const magicAt = MAGIC_AT.find((at) => MAGIC.every((byte, i) => head[at + i] === byte));
  if (magicAt === undefined) throw damaged(where, 'is not a pickle of torch.save (no magic number)');
  const reader = new PickleReader(head, magicAt + MAGIC.length);
  const storages = new Map<string, TorchStorage>();
  const options: PickleOptions = {
    globals: TORCH_GLOBALS,
    persistent: (id) => kept(storageOf(id), storages),
    where,
  };
  const protocol = unpickle(reader, options);
  if (protocol !== PROTOCOL) throw damaged(where, `does not use protocol ${PROTOCOL} of torch.save`);
  checkMachine(unpickle(reader, options), where);
  const value = unpickle(reader, options);
  const keys = unpickle(reader, options);
  if (!(keys instanceof PickleList)) throw damaged(where, 'has no list of storages');
  const places = placesOf(keys.items, storages, reader.at, source, where);
  return { value, locate: (key) => places.get(key) };
}

/**
 * Returns the same object for equal storages. Each tensor describes its storage, and descriptions with the
 * same key must agree.
 */
function kept(storage: TorchStorage | undefined, storages: Map<string, TorchStorage>): unknown {
  if (!storage) return undefined;
  const known = storages.get(storage.key);
  if (known && (known.dtype !== storage.dtype || known.count !== storage.count)) return undefined;
  storages.set(storage.key, known ?? storage);
  return known ?? storage;
}

function checkMachine(properties: unknown, where: string): void {
  const isLittle = properties instanceof Map && properties.get('little_endian') === true;
  if (!isLittle) throw damaged(where, 'has tensors that are not little-endian');
}

function placesOf(
  keys: readonly unknown[],
  storages: ReadonlyMap<string, TorchStorage>,
  start: number,
  source: ByteSource,
  where: string,
): Map<string, ByteRange> {
  const places = new Map<string, ByteRange>();
  let at = start;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage || places.has(storage.key)) {
      throw damaged(where, storage ? 'has a storage twice' : 'has a storage without a tensor');
    }
    const begin = at + COUNT_BYTES;
    const end = begin + storage.count * itemSize(storage.dtype);
    if (end > source.size) throw damaged(where, `has ${source.size} bytes instead of at least ${end}`);
    const count = Number(viewOf(source.read(at, begin)).getBigInt64(0, true));
    if (count !== storage.count)
      throw damaged(where, `has a storage of ${count} elements instead of ${storage.count}`);
    places.set(storage.key, { begin, end });
    at = end;
  }
  return places;
}

function damaged(where: string, fault: string): UserError {
  return new UserError({ where, fault, hint: 'The file is damaged. Download it again.' });
}
