import { elementCount, viewBytes } from '../../support/arrays.ts';
import { isObject } from '../../support/options.ts';
import { InvalidFile } from '../../support/user-error.ts';
import { parseSmallJson } from './bounded-json.ts';
import { excerpt } from './excerpt.ts';
import { f32ToBf16, f32ToF16 } from './float.ts';
import { type Dtype, decodeTensor, type MadeTensor, toFloat32 } from './tensor-data.ts';

/** The tensors of a checkpoint as bytes. */
export interface ByteTensors {
  names(): string[];
  info(name: string): { dtype: Dtype; shape: readonly number[] };
  read(name: string): Uint8Array;
}

/** A matrix of integers from which a weight is computed. */
interface Quantized {
  /** The path of its module. */
  module: string;
  /** The start of its tensors' names, and the end of the one that marks it. */
  prefix: string;
  marker: string;
  tensors: ByteTensors;
  settings: Settings;
  where: string;
}

/** Computes a weight [outputs, inputs], as the format's own program does. */
type Dequantize = (matrix: Quantized) => {
  dtype: FloatDtype;
  shape: readonly number[];
  make(): Float32Array;
};

interface Layout {
  /** The end of the name of a tensor that only quantized modules have, and the ends of the others. */
  marker: string;
  others: readonly string[];
  dequantize: Dequantize;
}

type FloatDtype = 'F32' | 'F16' | 'BF16';
type Settings = Record<string, unknown>;

/** How the weights of a checkpoint were quantized by another program: `quantization_config` of its config.json. */
interface Quantization {
  method: string;
  settings: Settings;
  layout: Layout;
}

const PACKED = ['qzeros', 'scales', 'g_idx'];
const STATE = ['absmax', 'quant_map', 'nested_absmax', 'nested_quant_map'];
/** bitsandbytes divides by 127 as a product with this. */
const PER_127 = Math.fround(7.874015718698502e-3);

/**
 * The quantization that a config.json names; undefined for a model with float weights.
 *
 * @throws UserError for a format that is not read
 */
export function findQuantization(json: unknown, where: string): Quantization | undefined {
  const settings = isObject(json) ? json.quantization_config : undefined;
  if (!isObject(settings)) return undefined;
  const { quant_method = 'another program' } = settings;
  const method = String(quant_method);
  const layout = LAYOUTS[method]?.(settings);
  if (layout) return { method, settings, layout };
  throw new InvalidFile({
    where: `${where}, quantization_config`,
    fault: `says that the weights are quantized by ${excerpt(method)} in a format that is not read`,
    hint: 'Use the model with float weights that it was made from, and set base_dtype to int8 or int4.',
  });
}

/** The formats that are read, by `quant_method`. The layouts were checked with the packages that write them. */
const LAYOUTS: Readonly<Record<string, (settings: Settings) => Layout | undefined>> = {
  gptq: ({ bits, checkpoint_format: format = 'gptq' }) =>
    [2, 4, 8].includes(bits as number) && ['gptq', 'gptq_v2'].includes(format as string)
      ? { marker: 'qweight', others: PACKED, dequantize: fromGptq }
      : undefined,
  awq: ({ bits, version = 'gemm' }) =>
    bits === 4 && String(version).toLowerCase() === 'gemm'
      ? { marker: 'qweight', others: PACKED, dequantize: fromAwq }
      : undefined,
  bitsandbytes: ({ load_in_8bit, bnb_4bit_quant_type: type = 'fp4' }) =>
    load_in_8bit
      ? { marker: 'SCB', others: ['weight', 'weight_format'], dequantize: fromBytes }
      : {
          marker: `weight.quant_state.bitsandbytes__${type}`,
          others: ['weight', ...STATE.map((name) => `weight.${name}`)],
          dequantize: fromHalfBytes,
        },
};

/**
 * The tensors of a checkpoint, with float weights in the place of integers: in the element type of the scales.
 *
 * @param transposed whether the model stores its matrices as [inputs, outputs]
 * @throws UserError for tensors that do not fit each other
 */
export function dequantizedTensors(
  tensors: ByteTensors,
  { settings, layout: { marker, others, dequantize } }: Quantization,
  transposed: boolean,
  where: string,
): MadeTensor[] {
  const names = tensors.names();
  const used = new Set<string>();
  const made = names
    .filter((name) => name.endsWith(`.${marker}`))
    .map((name): MadeTensor => {
      const prefix = name.slice(0, -marker.length);
      for (const end of [marker, ...others]) used.add(prefix + end);
      const module = prefix.slice(0, -1);
      const { dtype, shape, make } = dequantize({ module, prefix, marker, tensors, settings, where });
      return {
        name: `${prefix}weight`,
        dtype,
        shape: transposed ? shape.toReversed() : shape,
        make: () => [encodeFloats(transposed ? transpose(make(), shape) : make(), dtype)],
      };
    });
  const kept = names
    .filter((name) => !used.has(name))
    .map((name): MadeTensor => {
      const { dtype, shape } = tensors.info(name);
      return { name, dtype, shape, make: () => [tensors.read(name)] };
    });
  return [...made, ...kept];
}

/**
 * GPTQ: words of 32 bits hold the integers of one column of [inputs, outputs], the first in the lowest bits. The zero points
 * are packed along the outputs, and smaller by 1 in files that are not `gptq_v2`.
 */
const fromGptq: Dequantize = (matrix) => {
  const { bits, checkpoint_format } = matrix.settings as { bits: number; checkpoint_format?: string };
  const perWord = 32 / bits;
  const words = findTensor(matrix, 'qweight', ['I32']);
  const [rows = 0, outputs = 0] = words.shape;
  return fromGroups(matrix, {
    inputs: rows * perWord,
    outputs,
    integers: () => unpack(words.integers(), rows, outputs, bits, SEQUENCE, 'rows'),
    zeros: (packed, groups) => {
      const zeros = unpack(packed, groups, outputs / perWord, bits, SEQUENCE, 'columns');
      return checkpoint_format === 'gptq_v2' ? zeros : zeros.map((zero) => zero + 1);
    },
    perWord,
  });
};

/** AWQ's layout for its matrix products: words hold 8 outputs of one input, in an order of their own. */
const fromAwq: Dequantize = (matrix) => {
  const words = findTensor(matrix, 'qweight', ['I32']);
  const [inputs = 0, columns = 0] = words.shape;
  const read = (packed: Int32Array, rows: number) => unpack(packed, rows, columns, 4, AWQ_ORDER, 'columns');
  return fromGroups(matrix, {
    inputs,
    outputs: columns * 8,
    integers: () => read(words.integers(), inputs),
    zeros: read,
    perWord: 8,
  });
};

/** The places of integers in a word, by their places in the matrix. */
const SEQUENCE = Array.from({ length: 16 }, (_, i) => i);
const AWQ_ORDER = [0, 4, 1, 5, 2, 6, 3, 7];

interface Grouped {
  inputs: number;
  outputs: number;
  /** The integers [inputs, outputs]. */
  integers(): Uint8Array;
  /** The zero points [groups, outputs]. */
  zeros(packed: Int32Array, groups: number): Uint8Array;
  perWord: number;
}

/** Weights with a scale and a zero point for each output and group of inputs. */
function fromGroups(matrix: Quantized, grouped: Grouped): ReturnType<Dequantize> {
  const { inputs, outputs, perWord } = grouped;
  const given = Number(matrix.settings.group_size ?? -1);
  const size = given > 0 ? given : inputs;
  const groups = Math.ceil(inputs / size);
  const scales = findTensor(matrix, 'scales', ['F16', 'BF16', 'F32'], [groups, outputs]);
  const packed = findTensor(matrix, 'qzeros', ['I32'], [groups, outputs / perWord]);
  const isOrdered = matrix.tensors.names().includes(`${matrix.prefix}g_idx`);
  const order = isOrdered ? findTensor(matrix, 'g_idx', ['I32'], [inputs]) : undefined;
  return {
    dtype: scales.dtype as FloatDtype,
    shape: [outputs, inputs],
    make() {
      const groupOf =
        order?.integers() ?? Int32Array.from({ length: inputs }, (_, i) => Math.floor(i / size));
      if (groupOf.some((group) => group < 0 || group >= groups))
        throw damaged(matrix, 'g_idx', `names a group outside of 0 to ${groups - 1}`);
      const [integers, zeros] = [grouped.integers(), grouped.zeros(packed.integers(), groups)];
      const steps = scales.floats();
      const weight = new Float32Array(outputs * inputs);
      for (let output = 0, at = 0; output < outputs; output++) {
        for (let input = 0; input < inputs; input++) {
          const place = groupOf[input]! * outputs + output;
          weight[at++] = steps[place]! * (integers[input * outputs + output]! - zeros[place]!);
        }
      }
      return weight;
    },
  };
}

/** The integers in the words [rows, columns]. Those of a word are neighbors along `axis`. */
function unpack(
  words: Int32Array,
  rows: number,
  columns: number,
  bits: number,
  order: readonly number[],
  axis: 'rows' | 'columns',
): Uint8Array {
  const perWord = 32 / bits;
  const mask = 2 ** bits - 1;
  const integers = new Uint8Array(rows * columns * perWord);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const word = words[row * columns + column]!;
      for (let i = 0; i < perWord; i++) {
        const at =
          axis === 'rows' ? (row * perWord + i) * columns + column : (row * columns + column) * perWord + i;
        integers[at] = (word >>> (bits * order[i]!)) & mask;
      }
    }
  }
  return integers;
}

/** bitsandbytes with 8 bits: each row has a scale, its largest magnitude. */
const fromBytes: Dequantize = (matrix) => {
  const bytes = findTensor(matrix, 'weight', ['I8']);
  const [outputs = 0, inputs = 0] = bytes.shape;
  const scales = findTensor(matrix, 'SCB', ['F32'], [outputs]);
  return {
    dtype: 'F16',
    shape: [outputs, inputs],
    make() {
      const rows = scales.floats();
      return Float32Array.from(
        bytes.integers(),
        (value, i) => Math.fround(value * rows[Math.floor(i / inputs)]!) * PER_127,
      );
    },
  };
};

/** bitsandbytes with 4 bits: each byte holds two places in a table, the first in its upper half. Scales may be quantized too. */
const fromHalfBytes: Dequantize = (matrix) => {
  const bytes = findTensor(matrix, 'weight', ['U8']);
  const { marker } = matrix;
  const state = parseSmallJson(
    findTensor(matrix, marker, ['U8']).bytes(),
    `${matrix.where}: ${matrix.prefix}${marker}`,
  ) as Settings | null;
  const { shape, blocksize, dtype, nested_blocksize, nested_offset } = state ?? {};
  const count = elementCount(bytes.shape) * 2;
  const isWeight = Array.isArray(shape) && shape.every(Number.isInteger) && elementCount(shape) === count;
  const type = FLOATS[dtype as string];
  if (!isWeight || !isSize(blocksize) || !type)
    throw damaged(matrix, marker, `does not fit the ${count} values of the weight`);
  const blocks = Math.ceil(count / blocksize);
  const table = findTensor(matrix, 'weight.quant_map', ['F32'], [16]);
  const scales = findTensor(matrix, 'weight.absmax', ['F32', 'U8'], [blocks]);
  const nested = scales.dtype === 'U8';
  if (nested && (!isSize(nested_blocksize) || typeof nested_offset !== 'number'))
    throw damaged(matrix, marker, 'has no nested_blocksize or nested_offset');
  const nestedSize = nested_blocksize as number;
  const coarse = nested && {
    scales: findTensor(matrix, 'weight.nested_absmax', ['F32'], [Math.ceil(blocks / nestedSize)]),
    table: findTensor(matrix, 'weight.nested_quant_map', ['F32'], [256]),
  };
  return {
    dtype: type,
    shape: shape as number[],
    make() {
      const values = table.floats();
      let largest = coarse ? new Float32Array(blocks) : scales.floats();
      if (coarse) {
        const [above, places] = [coarse.scales.floats(), coarse.table.floats()];
        largest = Float32Array.from(
          scales.bytes(),
          (byte, i) =>
            Math.fround(places[byte]! * above[Math.floor(i / nestedSize)]!) + (nested_offset as number),
        );
      }
      const halves = bytes.bytes();
      return Float32Array.from({ length: count }, (_, i) => {
        const half = i % 2 === 0 ? halves[i >> 1]! >> 4 : halves[i >> 1]! & 15;
        return values[half]! * largest[Math.floor(i / blocksize)]!;
      });
    },
  };
};

const FLOATS: Readonly<Record<string, FloatDtype>> = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' };

const isSize = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;

/** @throws UserError for a tensor that is missing, or has another type or shape */
function findTensor(
  matrix: Quantized,
  end: string,
  dtypes: readonly Dtype[],
  expected?: readonly number[],
): {
  dtype: Dtype;
  shape: readonly number[];
  bytes(): Uint8Array;
  integers(): Int32Array;
  floats(): Float32Array;
} {
  const { tensors, prefix, module, where } = matrix;
  const name = prefix + end;
  if (!tensors.names().includes(name)) throw damaged(matrix, end, `is missing, but ${module} is quantized`);
  const { dtype, shape } = tensors.info(name);
  const fits = expected ? shape.join() === expected.join() : true;
  if (!fits || !dtypes.includes(dtype)) {
    const wanted = `${dtypes.join(' or ')}${expected ? ` [${expected}]` : ''}`;
    throw damaged(matrix, end, `is ${dtype} [${shape}] instead of ${wanted}`);
  }
  const bytes = () => tensors.read(name);
  return {
    dtype,
    shape,
    bytes,
    integers: () => decodeTensor({ dtype }, bytes()) as Int32Array,
    floats: () => toFloat32({ dtype }, bytes(), `${where}: ${name}`),
  };
}

function damaged({ where, prefix }: Quantized, end: string, fault: string): InvalidFile {
  return new InvalidFile({ where: `${where}: tensor ${excerpt(prefix + end)}`, fault });
}

function transpose(values: Float32Array, [rows, columns]: readonly number[]): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows!; row++)
    for (let column = 0; column < columns!; column++)
      turned[column * rows! + row] = values[row * columns! + column]!;
  return turned;
}

function encodeFloats(values: Float32Array, dtype: FloatDtype): Uint8Array {
  if (dtype === 'F32') return viewBytes(values);
  return viewBytes(dtype === 'F16' ? f32ToF16(values) : f32ToBf16(values));
}
