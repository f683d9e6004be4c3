import { rowwiseByteProduct } from '../../../engine/onnx/byte-matmul.ts';
import type { Emitter } from '../../../engine/onnx/emitter.ts';
import { ELEMENT } from '../../../engine/onnx/schema.ts';
import { quantizeBlocks } from '../../../input/formats/quantize.ts';
import type { Matrix, MatrixForm } from './matrix.ts';

/** Rounding smaller matrices, such as a head of a few classes, saves too little. */
const MIN_ROWS = 32;

/**
 * Stores a matrix as signed bytes, each row with a scale. A product also rounds its operand to bytes, each row with a
 * scale, so that a result does not depend on the rest of the batch. Products and lookups read the same matrix.
 */
export const byteRows: MatrixForm = {
  fits: ({ rows }) => rows >= MIN_ROWS,
  product(e, matrix, x, rows) {
    const { bytes, scales } = stored(e, matrix);
    const [turned] = e.once(`${bytes} turned`, () => [e.emit('Transpose', [bytes], { perm: [1, 0] })]);
    return rowwiseByteProduct(e, { name: x, rows, width: matrix.columns }, turned, scales);
  },
  rows(e, matrix, ids) {
    const { bytes, scales } = stored(e, matrix);
    const rows = e.emit('Cast', [e.emit('Gather', [bytes, ids], { axis: 0 })], { to: ELEMENT.float32 });
    const steps = e.emit('Unsqueeze', [e.emit('Gather', [scales, ids], { axis: 0 }), e.int64([-1])]);
    return e.emit('Mul', [rows, steps]);
  },
};

function stored(e: Emitter, matrix: Matrix): { bytes: string; scales: string } {
  const { name, rows, columns } = matrix;
  const [bytes, scales] = e.once(`${name} in bytes`, () => [
    e.stream(`${name}_quantized`, ELEMENT.int8, [rows, columns], {
      byteLength: rows * columns,
      chunks: () => quantized(matrix, ({ blocks }) => blocks),
    }),
    e.stream(`${name}_scale`, ELEMENT.float32, [rows], {
      byteLength: rows * Float32Array.BYTES_PER_ELEMENT,
      chunks: () => quantized(matrix, ({ scales }) => new Uint8Array(scales.buffer)),
    }),
  ]);
  return { bytes, scales };
}

function* quantized(
  { columns, blocks }: Matrix,
  part: (rows: ReturnType<typeof quantizeBlocks>) => Uint8Array,
): Generator<Uint8Array> {
  for (const block of blocks()) yield part(quantizeBlocks(block, 8, columns));
}
