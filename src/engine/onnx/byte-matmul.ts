import type { Dimension } from '../graph/dimension.ts';
import type { GraphNode } from '../graph/graph.ts';
import type { Operands } from '../graph/ops.ts';
import type { Emitter } from './emitter.ts';
import { ELEMENT } from './schema.ts';
import { waiting } from './waiting.ts';

/** The byte that represents 0 in activations. The fast kernels read unsigned bytes. */
const ZERO = 128;
/** The largest difference between a byte and ZERO. */
const MAX = 127;
/** Replaces the largest magnitude of a row of zeros, so that its scale is not 0. */
const TINY = 1e-30;

/** A product with a frozen matrix of bytes. Activations are rounded once for all products that read them. */
export function lowerByteMatmul(
  e: Emitter,
  { inputs }: GraphNode<'byteMatmul'>,
  [x, values, scales, , , smoothing]: Operands<string>,
): string[] {
  const matrix = storedMatrix(e, values, inputs[1].shape as number[], { name: x, shape: inputs[0].shape });
  const name = smoothing ? e.once(`${x} times ${smoothing}`, () => [e.emit('Mul', [x, smoothing])])[0]! : x;
  const rows = inputs[0].shape[0]!;
  return [rowwiseByteProduct(e, { name, rows, width: inputs[1].shape[0] as number }, matrix, scales)];
}

/** A frozen matrix of signed bytes. For {@link Emitter.saturates}, the same bytes are unsigned, plus 128. */
function storedMatrix(
  e: Emitter,
  values: string,
  shape: number[],
  gate: { name: string; shape: readonly Dimension[] },
): string {
  if (!e.saturates) return e.alias(values, shape, ELEMENT.int8);
  const matrix = { name: e.alias(values, shape, ELEMENT.uint8), type: ELEMENT.uint8, shape };
  // The engine must not compute it while it opens the session, where it would keep a copy.
  return e.emit('BitwiseXor', [waiting(e, matrix, gate), e.uint8(ZERO)]);
}

/**
 * A product with a frozen matrix of bytes, or with its transpose. The transpose exists only during the product: the
 * engine must not make it while it opens the session, where it would keep it.
 */
export function lowerColumnByteMatmul(
  e: Emitter,
  { inputs, attributes: { transposed } }: GraphNode<'columnByteMatmul'>,
  [x, values, scales]: Operands<string>,
): string[] {
  const [rows, width] = inputs[0].shape as [Dimension, number];
  const shape = inputs[1].shape as number[];
  const gate = { name: x, shape: inputs[0].shape };
  const matrix = storedMatrix(e, values, shape, gate);
  if (!transposed) return [rowwiseByteProduct(e, { name: x, rows, width }, matrix, scales)];
  const scaled = e.emit('Mul', [x, scales]);
  const gated = e.saturates ? matrix : waiting(e, { name: matrix, type: ELEMENT.int8, shape }, gate);
  const turned = e.emit('Transpose', [gated], { perm: [1, 0] });
  return [rowwiseByteProduct(e, { name: scaled, rows, width }, turned, e.float32([1], []))];
}

/** A value [rows, width]. */
interface Rows {
  name: string;
  rows: Dimension;
  width: number;
}

/**
 * Emits a product with a matrix of bytes. The operand is also rounded to bytes, and each of its rows has a scale.
 *
 * @param matrix [width, columns]: int8, or unsigned, plus 128
 * @param scales one per column, [columns], or one for all, []
 */
export function rowwiseByteProduct(
  e: Emitter,
  x: Rows,
  matrix: string,
  scales: string,
  isUnsigned = e.saturates,
): string {
  const { bytes, steps } = roundedRows(e, x);
  const zeros = isUnsigned ? [e.uint8(ZERO), e.uint8(ZERO)] : [e.uint8(ZERO)];
  const operands = [bytes, matrix, e.float32([1], []), scales, ...zeros];
  return e.emit('Mul', [e.emit('MatMulIntegerToFloat', operands, {}, 'com.microsoft'), steps]);
}

/** Rows rounded to bytes, and the step size of each row, [rows, 1]. */
function roundedRows(e: Emitter, { name: x, rows, width }: Rows): { bytes: string; steps: string } {
  const [bytes, steps] = e.once(`rounded rows of ${x}`, () => {
    const keep = { keepdims: 1 };
    const highest = e.emit('ReduceMax', [x, e.int64([1])], keep);
    const lowest = e.emit('Neg', [e.emit('ReduceMin', [x, e.int64([1])], keep)]);
    const largest = e.emit('Max', [highest, lowest, e.float32([TINY], [])]);
    const step = e.emit('Mul', [largest, e.float32([1 / MAX], [])]);
    const [zeros] = e.once(`zeros of ${rows} rows`, () => {
      // Expanded as float32 and then cast, because WebGPU cannot expand bytes.
      const zero = e.emit('Expand', [e.float32([ZERO], []), e.shape([rows, 1])]);
      return [e.emit('Cast', [zero], { to: ELEMENT.uint8 })];
    });
    return [e.emit('QuantizeLinear', [x, step, zeros], { axis: 1, block_size: width }), step];
  });
  return { bytes, steps };
}
