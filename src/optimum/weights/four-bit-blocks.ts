import { quantizeBlocks } from '../../formats/quantize-blocks.ts';
import { ELEMENT } from '../../onnx/schema.ts';
import type { Matrix } from './matrix.ts';
import type { MatrixForm } from './matrix-form.ts';

/** The number of elements that share a scale, as in transformers.js's own models. */
const BLOCK_SIZE = 32;
/** Rounding smaller matrices, such as a head of a few classes, saves too little. */
const MIN_ROWS = 32;
const BITS = 4;

/**
 * Stores a matrix as blocks of 4-bit integers along its rows, for the operator `MatMulNBits`. That operator does not
 * round the other operand.
 */
export const fourBitBlocks: MatrixForm = {
  fits: ({ rows, columns }) => rows >= MIN_ROWS && columns % BLOCK_SIZE === 0,
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

function* quantized(
  { blocks }: Matrix,
  part: (rows: ReturnType<typeof quantizeBlocks>) => Uint8Array,
): Generator<Uint8Array> {
  for (const block of blocks()) yield part(quantizeBlocks(block, BITS, BLOCK_SIZE));
}
