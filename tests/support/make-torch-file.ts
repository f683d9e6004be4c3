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
  /** Number of elements that precedes the storage's bytes. Only in the old format. */
  stored?: number;
  keys?: Uint8Array;
}

/** Makes a file as torch.save writes it since PyTorch 1.6. */
export function makeArchive({ bytes = 16, order, ...tensors }: MadeFile): Uint8Array {
  return writeZip([
    { name: 'm/data.pkl', data: dictionary(tensors) },
    ...(order === undefined ? [] : [{ name: 'm/byteorder', data: ascii(order) }]),
    { name: 'm/data/0', data: counting(bytes) },
  ]);
}

/** Makes a file as torch.save wrote it before PyTorch 1.6. */
export function makeLegacy({
  bytes = 16,
  order = 'little',
  stored = 4,
  keys = list(text('0')),
  ...tensors
}: MadeFile): Uint8Array {
  const machine = concatBytes([
    ascii('}'),
    text('little_endian'),
    Uint8Array.of(order === 'little' ? 0x88 : 0x89),
    ascii('s.'),
  ]);
  return concatBytes([
    ...[
      LEGACY_MAGIC,
      concatBytes([number(1001), ascii('.')]),
      machine,
      dictionary(tensors, [ascii('N')]),
      keys,
    ],
    ...[new Uint8Array(BigInt64Array.of(BigInt(stored)).buffer), counting(bytes)],
  ]);
}

export const LEGACY_MAGIC = Uint8Array.of(
  ...[0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e],
);

export const ascii = (value: string) => new TextEncoder().encode(value);
export const text = (value: string) => concatBytes([ascii('X'), u32(ascii(value).length), ascii(value)]);
export const list = (...items: Uint8Array[]) => concatBytes([ascii(']('), ...items, ascii('e.')]);

const tuple = (...parts: Uint8Array[]) => concatBytes([ascii('('), ...parts, ascii('t')]);
const counting = (length: number) => new Uint8Array(length).map((_, i) => i);

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(10);
  bytes.set([0x8a, 8]);
  new DataView(bytes.buffer).setBigInt64(2, BigInt(value), true);
  return bytes;
}

/** Makes the pickle of a dictionary. In the old format, `view` is an additional field of each storage. */
function dictionary(
  { count = 4, offset = 0, shape, strides, key = '0', tensors = 1 }: MadeFile,
  view: Uint8Array[] = [],
): Uint8Array {
  const type = ascii('ctorch\nFloatStorage\n');
  const storage = tuple(text('storage'), type, text(key), text('cpu'), number(count), ...view);
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
