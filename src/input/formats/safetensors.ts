import { isObject } from '../../support/options.ts';
import { nearest } from '../../support/text.ts';
import { InvalidFile, type UserError } from '../../support/user-error.ts';
import { parseBoundedJson } from './bounded-json.ts';
import { bytesAsSource, type LocalSource } from './byte-source.ts';
import { excerpt, excerptName } from './excerpt.ts';
import {
  ARRAY_OF,
  type Dtype,
  decodeTensor,
  elementRange,
  itemSize,
  type StoredTensor,
  type TensorData,
  toFloat32,
} from './tensor-data.ts';

/** The location of a tensor: bytes [begin, end) of the file. */
export interface TensorInfo {
  dtype: Dtype;
  shape: number[];
  begin: number;
  end: number;
  /**
   * The order of the axes in these bytes, slowest first. Undefined if row-major; [1, 0] for a transposed
   * matrix; `'scattered'` if the elements are not contiguous.
   */
  axes?: readonly number[] | 'scattered';
}

export interface SafetensorsHeader {
  metadata: Record<string, string>;
  /** The tensors, in the file's order. */
  tensors: Map<string, TensorInfo>;
  /** Number of bytes before the first tensor. */
  dataStart: number;
}

/** Size of the field at the start of a file that contains the header's length, a 64-bit unsigned integer. */
export const LENGTH_BYTES = 8;
/**
 * Maximum length of a header. It has about 150 bytes per tensor, and the largest models have 100,000 tensors.
 * The format's limit is three times as high, but a parsed header takes tens of times its length in memory.
 */
const MAX_HEADER_BYTES = 2 ** 25;
/** A tensor takes about twelve values. An adapter for all experts of a large model has 70,000 tensors in one file. */
const JSON_LIMITS = { depth: 3, values: 2 ** 20 };

const DAMAGED = 'The file is damaged, or not a safetensors file. Download it again.';

/**
 * Reads the offset of the first tensor from the first 8 bytes of a file, and checks it against `fileSize`.
 * {@link parseSafetensorsHeader} needs the bytes up to this offset.
 */
export function safetensorsDataStart(bytes: Uint8Array, fileSize: number, where: string): number {
  if (fileSize < LENGTH_BYTES || bytes.length < LENGTH_BYTES) {
    throw new InvalidFile({
      where,
      fault: `has ${fileSize} bytes, too few for a safetensors file`,
      hint: DAMAGED,
    });
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) {
    throw new InvalidFile({
      where,
      fault: `has a header of ${length} bytes, more than the maximum of ${MAX_HEADER_BYTES}`,
      hint: DAMAGED,
    });
  }
  if (LENGTH_BYTES + length > fileSize) {
    throw new InvalidFile({
      where,
      fault: `has ${fileSize} bytes but a header of ${length}: at least ${LENGTH_BYTES + length - fileSize} are missing`,
      hint: 'Download the file again.',
    });
  }
  return LENGTH_BYTES + length;
}

/**
 * Parses and checks the header of an untrusted safetensors file. The bytes of every tensor must match its
 * shape and type. The tensors must fill the file without overlap or gap.
 *
 * @param bytes the start of the file, at least up to the first tensor
 * @param where the file's name in messages
 * @throws UserError that names the file and the tensor
 */
export function parseSafetensorsHeader(
  bytes: Uint8Array,
  fileSize: number,
  where: string,
): SafetensorsHeader {
  const dataStart = safetensorsDataStart(bytes, fileSize, where);
  const json = parseJsonObject(bytes.subarray(LENGTH_BYTES, dataStart), where);
  let metadata: Record<string, string> = {};
  const tensors: [string, TensorInfo][] = [];
  for (const [name, entry] of Object.entries(json)) {
    if (name === '__metadata__') metadata = checkMetadata(entry, where);
    else tensors.push([name, checkTensor(entry, dataStart, `${where}: tensor ${excerpt(name)}`)]);
  }
  tensors.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  checkLayout(tensors, dataStart, fileSize, where);
  return { metadata, tensors: new Map(tensors), dataStart };
}

function parseJsonObject(bytes: Uint8Array, where: string): object {
  const value = parseBoundedJson(bytes, JSON_LIMITS, `${where}: header`);
  if (isObject(value)) return value;
  throw new InvalidFile({
    where,
    fault: `has a header that is not a JSON object: ${excerpt(value)}`,
    hint: DAMAGED,
  });
}

function checkMetadata(value: unknown, where: string): Record<string, string> {
  if (isObject(value) && Object.values(value).every((text) => typeof text === 'string')) {
    return Object.fromEntries(Object.entries(value)) as Record<string, string>;
  }
  throw new InvalidFile({
    where,
    key: '__metadata__',
    expected: 'a JSON object of strings',
    got: excerpt(value),
    hint: DAMAGED,
  });
}

function checkTensor(entry: unknown, dataStart: number, where: string): TensorInfo {
  const { dtype, shape, data_offsets: offsets } = (isObject(entry) ? entry : {}) as Record<string, unknown>;
  const refuse = (needs: string, value: unknown, hint = DAMAGED) => {
    throw new InvalidFile({ where, fault: `needs ${needs}, got ${excerpt(value)}`, hint });
  };
  if (typeof dtype !== 'string' || !Object.hasOwn(ARRAY_OF, dtype)) {
    const hint = 'Save the checkpoint in one of these types.';
    return refuse(`a dtype of ${Object.keys(ARRAY_OF).join(', ')}`, dtype, hint);
  }
  if (!isCounts(shape)) return refuse('a shape of non-negative integers', shape);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    return refuse('data_offsets [begin, end], begin <= end', offsets);
  }
  const bytes = shape.reduce((product, size) => product * size, itemSize(dtype as Dtype));
  if (offsets[1]! - offsets[0]! !== bytes) {
    refuse(`${bytes} bytes for ${dtype} ${excerpt(shape)}`, offsets[1]! - offsets[0]!);
  }
  return { dtype: dtype as Dtype, shape, begin: dataStart + offsets[0]!, end: dataStart + offsets[1]! };
}

function checkLayout(
  tensors: [string, TensorInfo][],
  dataStart: number,
  fileSize: number,
  where: string,
): void {
  let position = dataStart;
  for (const [name, { begin, end }] of tensors) {
    if (begin !== position) {
      throw new InvalidFile({
        where: `${where}: tensor ${excerpt(name)}`,
        fault: `starts at byte ${begin} instead of ${position}, right after the tensor before it (${begin < position ? 'an overlap' : 'a gap'})`,
        hint: DAMAGED,
      });
    }
    position = end;
  }
  if (position === fileSize) return;
  const [last] = tensors.find(([, { end }]) => end > fileSize) ?? [];
  throw new InvalidFile({
    where,
    fault:
      position > fileSize
        ? `has ${fileSize} bytes instead of ${position}: ${position - fileSize} are missing, from tensor ${excerpt(last)} on`
        : `has ${fileSize} bytes instead of ${position}: ${fileSize - position} too many`,
    hint: 'Download the file again.',
  });
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((x) => Number.isSafeInteger(x) && x >= 0);
}

/** An open file of named tensors. The header is in memory, and elements are read on request. */
export interface TensorFile {
  readonly path: string;
  names(): string[];
  has(name: string): boolean;
  /** Throws a UserError that suggests similar names if the tensor does not exist. */
  info(name: string): TensorInfo;
  /**
   * Reads a floating-point tensor, or its elements [start, end), as f32. Throws a UserError for integer
   * types, and a RangeError for elements out of range.
   */
  readFloat32(name: string, start?: number, end?: number): Float32Array;
  close(): void;
}

/**
 * Maximum length of names that are compared. The time of a comparison grows with the product of both lengths,
 * and longer names are not misspellings.
 */
const MAX_NAME_LENGTH = 200;
/** Maximum number of names that are compared. The largest models have some thousand names in a file. */
const MAX_COMPARED = 10_000;

/** The UserError for a tensor that does not exist in `where`. It suggests similar names. */
export function unknownTensor(name: string, known: string[], where: string): UserError {
  const compared = known.slice(0, MAX_COMPARED).filter(({ length }) => length <= MAX_NAME_LENGTH);
  const near = name.length <= MAX_NAME_LENGTH ? nearest(name, compared) : [];
  const hint = near.length > 0 ? `Did you mean ${near.map(excerptName).join(', ')}?` : undefined;
  return new InvalidFile({
    where,
    fault: `has no tensor ${excerptName(name)} (it has ${known.length} tensors)`,
    hint,
  });
}

/** An open safetensors file. Its header is in memory, and tensors are read on request. Close it after use. */
export class SafetensorsFile implements TensorFile {
  constructor(
    readonly header: SafetensorsHeader,
    private readonly source: LocalSource,
  ) {}

  /** @throws UserError for a file that is truncated or has an invalid header; it is closed then */
  static open(source: LocalSource): SafetensorsFile {
    const { path, size } = source;
    try {
      const start = source.read(0, Math.min(LENGTH_BYTES, size));
      const bytes = source.read(0, safetensorsDataStart(start, size, path));
      return new SafetensorsFile(parseSafetensorsHeader(bytes, size, path), source);
    } catch (error) {
      source.close();
      throw error;
    }
  }

  /** Like {@link open}, for a file in memory. */
  static of(bytes: Uint8Array, path: string): SafetensorsFile {
    return SafetensorsFile.open(bytesAsSource(bytes, path));
  }

  get path(): string {
    return this.source.path;
  }

  close(): void {
    this.source.close();
  }

  has(name: string): boolean {
    return this.header.tensors.has(name);
  }

  /** The names of the tensors, in the file's order. */
  names(): string[] {
    return [...this.header.tensors.keys()];
  }

  /** Throws a UserError that suggests similar names if the tensor does not exist. */
  info(name: string): TensorInfo {
    const info = this.header.tensors.get(name);
    if (info) return info;
    throw unknownTensor(name, this.names(), this.path);
  }

  /** Reads a tensor in its own type (F16 and BF16 as raw bits). */
  read(name: string): TensorData {
    const info = this.info(name);
    return decodeTensor(info, this.source.read(info.begin, info.end));
  }

  /** Reads all tensors like {@link read}. */
  all(): Map<string, StoredTensor> {
    return new Map(
      this.names().map((name) => {
        const { dtype, shape } = this.info(name);
        return [name, { dtype, shape, data: this.read(name) }];
      }),
    );
  }

  /** Like TensorFile.readFloat32. */
  readFloat32(name: string, start?: number, end?: number): Float32Array {
    const { dtype, begin, ...info } = this.info(name);
    const size = itemSize(dtype);
    const range = elementRange((info.end - begin) / size, start, end);
    const bytes = this.source.read(begin + range.start * size, begin + range.end * size);
    return toFloat32({ dtype }, bytes, `${this.path}: tensor ${name}`);
  }
}
