import type { GraphNode } from '../graph/graph.ts';
import { hasBlockKernel, type Operands } from '../graph/ops.ts';
import type { Emitter } from './emitter.ts';
import { ELEMENT } from './schema.ts';
import { waiting } from './waiting.ts';

/** A byte of two 4-bit elements, both 8: the element that represents zero. */
const TWO_EIGHTS = 0x88;
/** The 8-bit element that represents zero. */
const ZERO = 0x80;
/** The `accuracy_level` of kernels that round activations to bytes. */
const BYTES = 4;

/**
 * A product with a frozen matrix in blocks. If the engine has no kernel for it, every product dequantizes the matrix,
 * so that the matrix is in memory only for that time. The dequantized elements equal those in the kernels.
 */
export function lowerBlockMatmul(
  e: Emitter,
  node: GraphNode<'blockMatmul'>,
  operands: Operands<string>,
): string[] {
  if (hasBlockKernel(node.attributes)) return [packedProduct(e, node, operands)];
  const matrix = dequantised(e, node, operands);
  return [e.emit('Gemm', [operands[0], matrix], { transB: Number(!node.attributes.backward) })];
}

function packedProduct(
  e: Emitter,
  { attributes: { bits, blockSize, inFeatures, outFeatures, rounded } }: GraphNode<'blockMatmul'>,
  [x, values, scales]: Operands<string>,
): string {
  const blocks = inFeatures / blockSize;
  const bytes = e.alias(values, [outFeatures, blocks, (blockSize * bits) / 8], ELEMENT.uint8);
  const factors = e.alias(scales, [outFeatures, blocks], ELEMENT.float32);
  const accuracy = rounded && { accuracy_level: BYTES };
  const attributes = { K: inFeatures, N: outFeatures, bits, block_size: blockSize, ...accuracy };
  return e.emit('MatMulNBits', [x, bytes, factors], attributes, 'com.microsoft');
}

function dequantised(
  e: Emitter,
  { attributes: { bits, blockSize, inFeatures, outFeatures }, inputs: [x] }: GraphNode<'blockMatmul'>,
  [operand, values, scales]: Operands<string>,
): string {
  const blocks = (inFeatures * outFeatures) / blockSize;
  const integers = e.alias(values, [blocks, blockSize], bits === 4 ? ELEMENT.uint4 : ELEMENT.uint8);
  const zero = bits === 4 ? e.uint4(TWO_EIGHTS, [blocks]) : e.uint8(ZERO, [blocks]);
  // The operand must be ready before the matrix is dequantized. Otherwise, the engine would share one dequantized
  // matrix between the forward and backward products, and keep it in memory between them.
  const block = waiting(
    e,
    { name: scales, type: ELEMENT.float32, shape: [blocks] },
    { name: operand, shape: x.shape },
  );
  // With one block per row, the kernel is fastest.
  const rows = e.emit('DequantizeLinear', [integers, block, zero], { axis: 0 });
  return e.emit('Reshape', [rows, e.int64([outFeatures, inFeatures])]);
}
