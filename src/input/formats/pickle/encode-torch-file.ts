import { elementCount, viewBytes } from '../../../support/arrays.ts';
import { crc32 } from '../../../support/crc.ts';
import { OPCODES, type Opcode } from './pickle-machine.ts';
import { CENTRAL, END, LOCAL } from './zip-entries.ts';

/** Maximum size of an archive, because sizes have 32 bits. */
const MAX_BYTES = 2 ** 32 - 1;
/** Format version that readers must support: 1.0. */
const VERSION = 10;
/**
 * The date of all entries: 1 January 1980, the earliest date in a zip archive. With a fixed date, equal
 * content gives equal bytes.
 */
const DATE = 0x21;
/** Data begins at multiples of this many bytes, as in PyTorch's files, which PyTorch may map into memory. */
const ALIGNMENT = 64;
/** Id of the extra field that PyTorch uses for padding. Readers ignore it. */
const PADDING_FIELD = 0x4246;
const FIELD_HEAD_BYTES = 4;

interface ZipContent {
  /** ASCII only. */
  name: string;
  data: Uint8Array;
}

/**
 * Encodes a zip archive of stored (uncompressed) entries, in chunks.
 *
 * @throws RangeError from 4 GiB on
 */
export function* encodeZip(entries: readonly ZipContent[]): Generator<Uint8Array> {
  const directory: Uint8Array[] = [];
  let position = 0;
  for (const { name, data } of entries) {
    const text = new TextEncoder().encode(name);
    const padding = paddingFrom(position + LOCAL.bytes + text.length);
    const facts = commonFields(text.length, data);
    const header = record(LOCAL.bytes, [
      [0, LOCAL.signature, 4],
      ...shifted(facts, 4),
      [28, padding.length, 2],
    ]);
    const listed = record(CENTRAL.bytes, [
      [0, CENTRAL.signature, 4],
      ...shifted(facts, 6),
      [42, position, 4],
    ]);
    directory.push(listed, text);
    const chunks = [header, text, padding, data];
    yield* chunks;
    position += sumLengths(chunks);
  }
  const size = sumLengths(directory);
  if (position + size > MAX_BYTES) throw new RangeError(`an archive of ${position + size} bytes`);
  yield* directory;
  yield record(END.bytes, [
    [0, END.signature, 4],
    [8, entries.length, 2],
    [10, entries.length, 2],
    [12, size, 4],
    [16, position, 4],
  ]);
}

/** Position, value and width in bytes. */
type Field = readonly [at: number, value: number, width: 2 | 4];

/** Fields that an entry has in both of its headers. Positions count from the version field. */
function commonFields(nameLength: number, data: Uint8Array): Field[] {
  return [
    [0, VERSION, 2],
    [8, DATE, 2],
    [10, crc32(data), 4],
    [14, data.length, 4],
    [18, data.length, 4],
    [22, nameLength, 2],
  ];
}

function shifted(fields: readonly Field[], by: number): Field[] {
  return fields.map(([at, value, width]) => [at + by, value, width]);
}

/** The extra field that pads the file from `position` to the next aligned position. */
function paddingFrom(position: number): Uint8Array {
  const missing = (ALIGNMENT - (position % ALIGNMENT)) % ALIGNMENT;
  if (missing === 0) return new Uint8Array(0);
  const length = missing < FIELD_HEAD_BYTES ? missing + ALIGNMENT : missing;
  return record(length, [
    [0, PADDING_FIELD, 2],
    [2, length - FIELD_HEAD_BYTES, 2],
  ]);
}

function record(length: number, fields: readonly Field[]): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (const [at, value, width] of fields) {
    if (width === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
  }
  return bytes;
}

function sumLengths(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

/** Version of the archive format. PyTorch 1.6 and later read it. */
const FORMAT_VERSION = '3\n';
const PICKLE_PROTOCOL = 2;

/** A float32 tensor. */
export interface FloatTensor {
  shape: readonly number[];
  data: Float32Array;
}

/**
 * Encodes a dictionary of tensors as `torch.save` writes it, in chunks. The pickle uses only globals that
 * `torch.load` accepts with `weights_only`. Each tensor is an entry of the archive.
 *
 * @param folder the archive's folder; PyTorch uses the file's name without its extension
 * @throws RangeError if a tensor's data does not match its shape
 */
export function encodeTorchFile(
  tensors: ReadonlyMap<string, FloatTensor>,
  folder: string,
): Iterable<Uint8Array> {
  const entry = (name: string, data: string | Uint8Array): ZipContent => ({
    name: `${folder}/${name}`,
    data: typeof data === 'string' ? new TextEncoder().encode(data) : data,
  });
  return encodeZip([
    entry('data.pkl', encodeDictionary(tensors)),
    entry('byteorder', 'little'),
    ...[...tensors.values()].map(({ data }, key) => entry(`data/${key}`, viewBytes(data))),
    entry('version', FORMAT_VERSION),
  ]);
}

/** A part of a pickle: an opcode or its argument. */
type Piece = Opcode | Uint8Array;

function encodeDictionary(tensors: ReadonlyMap<string, FloatTensor>): Uint8Array {
  const items = [...tensors].flatMap(([name, tensor], key) => [
    ...text(name),
    ...encodeTensor(tensor, key, name),
  ]);
  return bytesOfPieces([
    'PROTO',
    Uint8Array.of(PICKLE_PROTOCOL),
    'EMPTY_DICT',
    'MARK',
    ...items,
    'SETITEMS',
    'STOP',
  ]);
}

/** Encodes `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, backward_hooks)`. */
function encodeTensor({ shape, data }: FloatTensor, key: number, name: string): Piece[] {
  if (data.length !== elementCount(shape))
    throw new RangeError(`${name}: ${data.length} elements of [${shape}]`);
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  const storage = tuple(
    text('storage'),
    global('torch', 'FloatStorage'),
    text(`${key}`),
    text('cpu'),
    integer(data.length),
  );
  return [
    ...global('torch._utils', '_rebuild_tensor_v2'),
    ...tuple(
      [...storage, 'BINPERSID'],
      integer(0),
      tuple(...shape.map(integer)),
      tuple(...strides.map(integer)),
      ['NEWFALSE'],
      [...global('collections', 'OrderedDict'), 'EMPTY_TUPLE', 'REDUCE'],
    ),
    'REDUCE',
  ];
}

function tuple(...items: Piece[][]): Piece[] {
  return ['MARK', ...items.flat(), 'TUPLE'];
}

function global(module: string, name: string): Piece[] {
  return ['GLOBAL', new TextEncoder().encode(`${module}\n${name}\n`)];
}

function text(value: string): Piece[] {
  const bytes = new TextEncoder().encode(value);
  return ['BINUNICODE', viewBytes(Uint32Array.of(bytes.length)), bytes];
}

function integer(value: number): Piece[] {
  return ['BININT', viewBytes(Int32Array.of(value))];
}

function bytesOfPieces(pieces: readonly Piece[]): Uint8Array {
  return Uint8Array.from(
    pieces.flatMap((piece) => (typeof piece === 'string' ? OPCODES[piece] : [...piece])),
  );
}
