import { elementCount } from '../../support/arrays.ts';
import { InvalidFile, UserError } from '../../support/user-error.ts';
import type { LocalSource } from './byte-source.ts';
import { excerptName } from './excerpt.ts';
import { f16ToF32 } from './float.ts';
import { type Dtype, itemSize, toFloat32 } from './tensor-data.ts';

/** A tensor of a GGUF file. */
export interface GgufInfo {
  /** Row-major. */
  shape: number[];
  /** The number of its type. */
  type: number;
  /** Its first byte in the file. */
  begin: number;
}

export interface GgufHeader {
  metadata: Record<string, unknown>;
  tensors: Map<string, GgufInfo>;
}

/** Maximum size of a header. The largest vocabularies, with 262,144 tokens and their merges, take 15 MB. */
const MAX_HEADER_BYTES = 2 ** 26;
const MAX_DIMENSIONS = 4;

/**
 * Reads the header of a GGUF file.
 *
 * @throws UserError for a file in another format, a damaged one, and one of several shards
 */
export function readGgufHeader(file: LocalSource): GgufHeader {
  const bytes = file.read(0, Math.min(file.size, MAX_HEADER_BYTES));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const header = parseHeader(new Values(view));
    if (header?.metadata['split.count'] === undefined && header) return header;
    throw new UserError({
      where: file.path,
      fault: header ? 'is one of several shards' : 'is not a GGUF file of version 2 or 3',
      hint: header && "Join them with llama.cpp's llama-gguf-split --merge.",
      code: 'unsupported',
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InvalidFile({ where: file.path, fault: 'is damaged: its header does not end' });
  }
}

function parseHeader(values: Values): GgufHeader | undefined {
  const [magic, version] = [values.next('getUint32', 4), values.next('getUint32', 4)];
  if (magic !== 0x46554747 || (version !== 2 && version !== 3)) return undefined;
  const [tensorCount, keyCount] = [values.count(), values.count()];
  const metadata: Record<string, unknown> = Object.create(null);
  for (let i = 0; i < keyCount; i++) metadata[values.text()] = values.value(values.next('getUint32', 4));
  const tensors = new Map<string, GgufInfo>();
  for (let i = 0; i < tensorCount; i++) {
    const name = values.text();
    const dimensions = values.next('getUint32', 4);
    if (dimensions > MAX_DIMENSIONS) throw new RangeError();
    // The format lists the fastest dimension first.
    const shape = Array.from({ length: dimensions }, () => values.count()).reverse();
    tensors.set(name, { shape, type: values.next('getUint32', 4), begin: values.count() });
  }
  const alignment = Number(metadata['general.alignment'] ?? 32);
  const start = Math.ceil(values.at / alignment) * alignment;
  for (const tensor of tensors.values()) tensor.begin += start;
  return { metadata, tensors };
}

type Getter = Extract<keyof DataView, `get${string}`>;

/** The format's types of numbers, by their numbers. */
const NUMBERS: readonly (readonly [Getter, number] | undefined)[] = [
  ...([
    ['getUint8', 1],
    ['getInt8', 1],
    ['getUint16', 2],
    ['getInt16', 2],
    ['getUint32', 4],
  ] as const),
  ...([['getInt32', 4], ['getFloat32', 4], ['getUint8', 1], undefined, undefined] as const),
  ...([
    ['getBigUint64', 8],
    ['getBigInt64', 8],
    ['getFloat64', 8],
  ] as const),
];
const [BOOL, TEXT, ARRAY] = [7, 8, 9];

/** Little-endian values, one after another. */
class Values {
  at = 0;
  constructor(private readonly view: DataView) {}

  next(getter: Getter, size: number): number {
    const value = this.view[getter](this.at, true);
    this.at += size;
    return Number(value);
  }

  count(): number {
    return this.next('getBigUint64', 8);
  }

  /** A text with its length in bytes before it. */
  text(): string {
    const length = this.count();
    const start = this.view.byteOffset + this.at;
    // Throws a RangeError beyond the end.
    const text = new TextDecoder().decode(new Uint8Array(this.view.buffer, start, length));
    this.at += length;
    return text;
  }

  value(type: number): unknown {
    if (type === TEXT) return this.text();
    if (type === ARRAY) {
      const of = this.next('getUint32', 4);
      const values: unknown[] = [];
      for (let left = this.count(); left > 0; left--) values.push(this.value(of));
      return values;
    }
    const number = NUMBERS[type];
    if (!number) throw new RangeError();
    const value = this.next(...number);
    return type === BOOL ? value !== 0 : value;
  }
}

/** How the elements of a type are stored: blocks of some bytes. */
interface Blocks {
  name: string;
  elements: number;
  bytes: number;
  /** Writes the elements of the block at a byte from an index on. */
  read(block: DataView, at: number, out: Float32Array, to: number): void;
}

/** Blocks of 32 elements: a scale, sometimes a minimum and fifth bits, then integers. */
function smallBlocks(name: string, bits: 4 | 5 | 8, hasMinimum = false): Blocks {
  const quants = 2 + (hasMinimum ? 2 : 0) + (bits === 5 ? 4 : 0);
  const offset = hasMinimum ? 0 : 2 ** (bits - 1);
  return {
    name,
    elements: 32,
    bytes: quants + (bits === 8 ? 32 : 16),
    read(block, at, out, to) {
      const scale = half(block, at);
      const minimum = hasMinimum ? half(block, at + 2) : 0;
      const fifth = bits === 5 ? block.getUint32(at + quants - 4, true) : 0;
      for (let i = 0; i < 32; i++) {
        const byte = block.getUint8(at + quants + (bits === 8 ? i : i % 16));
        const low = i < 16 ? byte & 15 : byte >> 4;
        const value = bits === 8 ? (byte << 24) >> 24 : (low | (((fifth >>> i) & 1) << 4)) - offset;
        out[to + i] = Math.fround(value * scale) + minimum;
      }
    },
  };
}

/** Blocks of 256 elements in eight parts, each with a scale and a minimum of 6 bits. */
function largeBlocks(name: string, bits: 4 | 5): Blocks {
  const quants = bits === 5 ? 48 : 16;
  return {
    name,
    elements: 256,
    bytes: quants + 128,
    read(block, at, out, to) {
      const [scale, minimum] = [half(block, at), half(block, at + 2)];
      const byte = (i: number) => block.getUint8(at + 4 + i);
      for (let part = 0; part < 8; part++) {
        const [s, m] =
          part < 4
            ? [byte(part) & 63, byte(part + 4) & 63]
            : [
                (byte(part + 4) & 15) | ((byte(part - 4) >> 6) << 4),
                (byte(part + 4) >> 4) | ((byte(part) >> 6) << 4),
              ];
        const [partScale, partMinimum] = [Math.fround(scale * s), Math.fround(minimum * m)];
        for (let i = 0; i < 32; i++) {
          const pair = block.getUint8(at + quants + 32 * (part >> 1) + i);
          const fifth = bits === 5 ? (block.getUint8(at + 16 + i) >> part) & 1 : 0;
          const value = (part % 2 === 0 ? pair & 15 : pair >> 4) | (fifth << 4);
          out[to + 32 * part + i] = Math.fround(partScale * value) - partMinimum;
        }
      }
    },
  };
}

/** Blocks of 256 elements of 6 bits, with a scale of 8 bits for each 16. */
const SIX_BITS: Blocks = {
  name: 'q6_k',
  elements: 256,
  bytes: 210,
  read(block, at, out, to) {
    const scale = half(block, at + 208);
    for (let i = 0; i < 256; i++) {
      // Two halves of 128 elements: four lines of 32, whose upper bits share bytes.
      const [own, line, column] = [i >> 7, (i >> 5) & 3, i & 31];
      const low = block.getUint8(at + 64 * own + 32 * (line % 2) + column);
      const high = (block.getUint8(at + 128 + 32 * own + column) >> (2 * line)) & 3;
      const value = ((line < 2 ? low & 15 : low >> 4) | (high << 4)) - 32;
      const partScale = Math.fround(scale * block.getInt8(at + 192 + (i >> 4)));
      out[to + i] = partScale * value;
    }
  },
};

function half(block: DataView, at: number): number {
  return f16ToF32(Uint16Array.of(block.getUint16(at, true)))[0]!;
}

/** llama.cpp's types of tensors that are read, by their numbers. */
const TYPES: Readonly<Record<number, Blocks | Extract<Dtype, 'F32' | 'F16' | 'BF16'>>> = {
  0: 'F32',
  1: 'F16',
  2: smallBlocks('q4_0', 4),
  3: smallBlocks('q4_1', 4, true),
  6: smallBlocks('q5_0', 5),
  7: smallBlocks('q5_1', 5, true),
  8: smallBlocks('q8_0', 8),
  12: largeBlocks('q4_k', 4),
  13: largeBlocks('q5_k', 5),
  14: SIX_BITS,
  30: 'BF16',
};

/**
 * Reads a tensor as float32, as llama.cpp computes it.
 *
 * @throws UserError for a type that is not read, and for a tensor beyond the end of the file
 */
export function readGgufTensor(
  file: LocalSource,
  name: string,
  { shape, type, begin }: GgufInfo,
): Float32Array {
  const where = `${file.path}: ${excerptName(name)}`;
  const blocks = TYPES[type];
  if (!blocks) {
    const known = Object.values(TYPES).map((one) => (typeof one === 'string' ? one.toLowerCase() : one.name));
    throw new UserError({
      where,
      fault: `has the type ${type}, which is not read`,
      hint: `Use a file of one of these types: ${known.join(', ')}.`,
      code: 'unsupported',
    });
  }
  const isFloat = typeof blocks === 'string';
  const [elements, size] = isFloat ? [1, itemSize(blocks)] : [blocks.elements, blocks.bytes];
  const count = elementCount(shape) / elements;
  if (!Number.isInteger(count) || !(begin + count * size <= file.size))
    throw new InvalidFile({ where, fault: 'is damaged: it ends after the file, or within a block' });
  const bytes = file.read(begin, begin + count * size);
  if (isFloat) return toFloat32({ dtype: blocks }, bytes, where);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(count * elements);
  for (let i = 0; i < count; i++) blocks.read(view, i * size, out, i * elements);
  return out;
}
