import { LENGTH_BYTES } from './safetensors.ts';
import { ARRAY_OF, type Dtype, type StoredTensor } from './tensor-data.ts';

/**
 * The order of tensors by element type. Wide types come first, so that each tensor is aligned to its element
 * size. Types of equal width are in the format's order.
 */
const ORDER: Dtype[] = ['I64', 'F64', 'F32', 'I32', 'BF16', 'F16', 'I16', 'I8', 'U8', 'BOOL'];

/**
 * Encodes a safetensors file as chunks: the header, then views of each tensor's bytes. The bytes equal those
 * of the reference writer: tensors are ordered by element type, then by name, and the header is padded with
 * spaces to a multiple of 8 bytes.
 *
 * @throws RangeError if a tensor's data does not match its dtype and shape
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Record<string, string> = {},
): Uint8Array[] {
  for (const [name, tensor] of tensors) checkData(name, tensor);
  const bytesOf = ({ data }: StoredTensor) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [...streamSafetensors(tensors, (name) => [bytesOf(tensors.get(name)!)], metadata)];
}

/**
 * Encodes tensors that are not in memory. `chunksOf` is called for each tensor in order, and returns its
 * bytes. With `asGiven`, tensors keep the given order, because some are computed from earlier ones. Readers
 * accept any order.
 */
export function* streamSafetensors(
  tensors: Described,
  chunksOf: (name: string) => Iterable<Uint8Array>,
  metadata: Record<string, string> = {},
  asGiven = false,
): Generator<Uint8Array> {
  const ordered = asGiven ? [...tensors] : inOrder(tensors);
  yield encodeHeader(listEntries(ordered, metadata));
  for (const [name] of ordered) yield* chunksOf(name);
}

type Description = { dtype: Dtype; shape: readonly number[] };
type Described = ReadonlyMap<string, Description>;

function inOrder(tensors: Described): [string, Description][] {
  return [...tensors].sort(
    ([nameA, a], [nameB, b]) => ORDER.indexOf(a.dtype) - ORDER.indexOf(b.dtype) || (nameA < nameB ? -1 : 1),
  );
}

/** The header's entries. */
function listEntries(
  tensors: readonly [string, Description][],
  metadata: Record<string, string>,
): [string, unknown][] {
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let offset = 0;
  for (const [name, { dtype, shape }] of tensors) {
    const end = offset + elements(shape) * ARRAY_OF[dtype].BYTES_PER_ELEMENT;
    entries.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  return entries;
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function checkData(name: string, { dtype, shape, data }: StoredTensor): void {
  const count = elements(shape);
  if (name === '__metadata__') throw new RangeError('A tensor cannot be called __metadata__.');
  if (data instanceof ARRAY_OF[dtype] && data.length === count) return;
  const got = `${data.constructor.name} of ${data.length}`;
  throw new RangeError(`${name}: expected ${ARRAY_OF[dtype].name} of ${count} for [${shape}], got ${got}`);
}

function encodeHeader(entries: [string, unknown][]): Uint8Array {
  // Built as text, because Object.fromEntries would move names like "0" to the front.
  const json = `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(',')}}`;
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.length / LENGTH_BYTES) * LENGTH_BYTES;
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, LENGTH_BYTES);
  return header;
}
