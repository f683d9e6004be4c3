import { ELEMENT } from '../../engine/onnx/schema.ts';
import { quantizeBlocks } from '../../input/formats/quantize.ts';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import {
  byteRows,
  type Matrix,
  type MatrixForm,
  MIN_ROUNDED_ROWS,
  type WeightForms,
} from './weights/file-weights.ts';

/** The number of elements that share a scale, as in transformers.js's own models. */
const BLOCK_SIZE = 32;
const BITS = 4;

/**
 * Stores a matrix as blocks of 4-bit integers along its rows, for the operator `MatMulNBits`. That operator does not
 * round the other operand.
 */
const fourBitBlocks: MatrixForm = {
  fits: ({ rows, columns }) => rows >= MIN_ROUNDED_ROWS && columns % BLOCK_SIZE === 0,
  product(e, matrix, x) {
    const { name, rows, columns } = matrix;
    const blocks = columns / BLOCK_SIZE;
    const [values, scales] = e.once(`${name} in 4 bits`, () => [
      e.stream(`${name}_Q4`, ELEMENT.uint8, [rows, blocks, (BLOCK_SIZE * BITS) / 8], {
        byteLength: (rows * columns * BITS) / 8,
        chunks: () => quantized(matrix, ({ blocks }) => blocks),
      }),
      e.stream(`${name}_scales`, ELEMENT.float32, [rows, blocks], {
        byteLength: rows * blocks * Float32Array.BYTES_PER_ELEMENT,
        chunks: () => quantized(matrix, ({ scales }) => new Uint8Array(scales.buffer)),
      }),
    ]);
    const attributes = { K: columns, N: rows, bits: BITS, block_size: BLOCK_SIZE };
    return e.emit('MatMulNBits', [x, values, scales], attributes, 'com.microsoft');
  },
};

interface OnnxType extends WeightForms {
  /** Suffix of the file name, before `.onnx`. */
  suffix: string;
}

/** Types of stored weights, by their names in transformers.js. */
export const ONNX_DTYPES = {
  fp32: { suffix: '', dtype: 'float32', products: [], tables: [] },
  fp16: { suffix: '_fp16', dtype: 'float16', products: [], tables: [] },
  q8: { suffix: '_quantized', dtype: 'float32', products: [byteRows], tables: [byteRows] },
  q4: { suffix: '_q4', dtype: 'float32', products: [fourBitBlocks, byteRows], tables: [byteRows] },
} as const satisfies Record<string, OnnxType>;

export type OnnxDtype = keyof typeof ONNX_DTYPES;

/**
 * Returns the types with these names, without duplicates.
 *
 * @throws UserError for an unknown name, with the nearest known name, and for an empty list
 */
export function onnxDtypes(names: readonly string[], where: string): OnnxDtype[] {
  const known = Object.keys(ONNX_DTYPES);
  const unknown = names.length === 0 ? '' : names.find((name) => !known.includes(name));
  if (unknown === undefined) return [...new Set(names)] as OnnxDtype[];
  throw new UserError({
    key: where,
    expected: `a list of weight types (${known.join(', ')})`,
    got: unknown === '' ? 'none' : unknown,
    hint: unknown === '' ? undefined : suggest(unknown, known),
  });
}

function* quantized(
  { blocks }: Matrix,
  part: (rows: ReturnType<typeof quantizeBlocks>) => Uint8Array,
): Generator<Uint8Array> {
  for (const block of blocks()) yield part(quantizeBlocks(block, BITS, BLOCK_SIZE));
}
