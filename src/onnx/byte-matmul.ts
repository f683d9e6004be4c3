import type { Node } from '../graph/graph.ts';
import type { Emitter } from './emitter.ts';
import { ELEMENT } from './schema.ts';

/** Bytes of activations count from here: the quick kernels take them without a sign. */
const ZERO = 128;
/** The most that a rounded element is away from it. */
const MOST = 127;
/** Stands in for the largest magnitude of a row of zeros. */
const TINY = 1e-30;

/**
 * A product with a frozen matrix of bytes. The activations are rounded row by row, once for all products that read
 * them. Backward, the matrix's scales go into the operand, for they belong to the axis that is summed over.
 */
export function lowerByteMatmul(
  e: Emitter,
  { attributes: { inFeatures, outFeatures, backward } }: Node<'byteMatmul'>,
  [x, values, scales]: readonly string[],
): string[] {
  const matrix = e.alias(values, [inFeatures, outFeatures], ELEMENT.int8);
  const zero = e.uint8(ZERO);
  if (!backward) {
    const { bytes, scale } = roundedRows(e, x, inFeatures);
    return [e.emit('MatMulIntegerToFloat', [bytes, matrix, scale, scales, zero], {}, 'com.microsoft')];
  }
  const { bytes, scale } = roundedRows(e, e.emit('Mul', [x, scales]), outFeatures);
  const one = e.float32([1], []);
  const operands = [bytes, one, zero, matrix, one, e.int8(0)];
  const product = e.emit('QGemm', operands, { transB: 1 }, 'com.microsoft');
  return [e.emit('Mul', [product, scale])];
}

/** Rows as bytes, and what a byte of each row stands for, [rows, 1]. */
function roundedRows(e: Emitter, x: string, width: number): { bytes: string; scale: string } {
  const [bytes, scale] = e.once(`rounded rows of ${x}`, () => {
    const keep = { keepdims: 1 };
    const highest = e.emit('ReduceMax', [x, e.int64([1])], keep);
    const lowest = e.emit('Neg', [e.emit('ReduceMin', [x, e.int64([1])], keep)]);
    const largest = e.emit('Max', [highest, lowest, e.float32([TINY], [])]);
    const step = e.emit('Mul', [largest, e.float32([1 / MOST], [])]);
    // As numbers first: WebGPU expands no bytes.
    const zero = e.emit('Expand', [e.float32([ZERO], []), e.emit('Shape', [step])]);
    const zeros = e.emit('Cast', [zero], { to: ELEMENT.uint8 });
    return [e.emit('QuantizeLinear', [x, step, zeros], { axis: 1, block_size: width }), step];
  });
  return { bytes, scale };
}
