import { concatBytes, u32, writeZip } from './write-zip.ts';

/** Tensors on one f32 storage, for tests. Tests may set any number to a wrong value. */
export interface MadeFile {
  /** Number of elements that the tensors declare for the storage. */
  count?: number;
  offset?: number;
  shape: number[];
  strides: number[];
  key?: string;
  /** Number of bytes that the storage has. */
  bytes?: number;
  order?: string;
  tensors?: number;
}

/** Makes a file as torch.save writes it. */
export function makeArchive({ bytes = 16, order, ...tensors }: MadeFile): Uint8Array {
  return writeZip([
    { name: 'm/data.pkl', data: dictionary(tensors) },
    ...(order === undefined ? [] : [{ name: 'm/byteorder', data: ascii(order) }]),
    { name: 'm/data/0', data: counting(bytes) },
  ]);
}

export const ascii = (value: string) => new TextEncoder().encode(value);
export const text = (value: string) => concatBytes([ascii('X'), u32(ascii(value).length), ascii(value)]);

const tuple = (...parts: Uint8Array[]) => concatBytes([ascii('('), ...parts, ascii('t')]);
const counting = (length: number) => new Uint8Array(length).map((_, i) => i);

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(10);
  bytes.set([0x8a, 8]);
  new DataView(bytes.buffer).setBigInt64(2, BigInt(value), true);
  return bytes;
}

/** Makes the pickle of a dictionary. */
function dictionary({ count = 4, offset = 0, shape, strides, key = '0', tensors = 1 }: MadeFile): Uint8Array {
  const type = ascii('ctorch\nFloatStorage\n');
  const storage = tuple(text('storage'), type, text(key), text('cpu'), number(count));
  const args = tuple(
    concatBytes([storage, ascii('Q')]),
    number(offset),
    tuple(...shape.map(number)),
    tuple(...strides.map(number)),
    Uint8Array.of(0x89, 0x7d),
  );
  const tensor = concatBytes([ascii('ctorch._utils\n_rebuild_tensor_v2\n'), args, ascii('R')]);
  const items = Array.from({ length: tensors }, (_, i) => concatBytes([text(`w${i}`), tensor]));
  return concatBytes([ascii('}('), ...items, ascii('u.')]);
}
