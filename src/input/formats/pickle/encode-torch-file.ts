import { elementCount } from '../../../support/element-count.ts';
import { encodeZip, type ZipContent } from './encode-zip.ts';
import { OPCODES, type Opcode } from './opcodes.ts';

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
    entry('data.pkl', dictionaryOf(tensors)),
    entry('byteorder', 'little'),
    ...[...tensors.values()].map(({ data }, key) => entry(`data/${key}`, bytesOf(data))),
    entry('version', FORMAT_VERSION),
  ]);
}

/** A part of a pickle: an opcode or its argument. */
type Piece = Opcode | Uint8Array;

function dictionaryOf(tensors: ReadonlyMap<string, FloatTensor>): Uint8Array {
  const items = [...tensors].flatMap(([name, tensor], key) => [
    ...text(name),
    ...tensorOf(tensor, key, name),
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
function tensorOf({ shape, data }: FloatTensor, key: number, name: string): Piece[] {
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
  return ['BINUNICODE', bytesOf(Uint32Array.of(bytes.length)), bytes];
}

function integer(value: number): Piece[] {
  return ['BININT', bytesOf(Int32Array.of(value))];
}

function bytesOfPieces(pieces: readonly Piece[]): Uint8Array {
  return Uint8Array.from(
    pieces.flatMap((piece) => (typeof piece === 'string' ? OPCODES[piece] : [...piece])),
  );
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
