import type { Dimension } from '../graph/dimension.ts';
import type { GraphNode } from '../graph/graph.ts';
import { hasBlockKernel, type Op, type Operands } from '../graph/ops.ts';
import { lowerByteMatmul, lowerColumnByteMatmul } from './byte-matmul.ts';
import type { Emitter } from './emitter.ts';
import { ELEMENT } from './schema.ts';
import { waiting } from './waiting.ts';

/** The backend that runs a graph. */
export type Target = 'cpu' | 'webgpu' | 'wasm';

/**
 * Emits the ONNX nodes for a graph node. `operands` are the names of its operands. Returns the names of its outputs.
 */
type Lowering<K extends Op> = (emitter: Emitter, node: GraphNode<K>, operands: Operands<string>) => string[];
type LoweringTable = { [K in Op]: Lowering<K> };

/** Lowers each op to standard ONNX operators, which have kernels on every backend. */
const portable: LoweringTable = {
  input: boundOutside,
  weight: boundOutside,
  constant: (e, { attributes: { data }, outputs: [{ dtype, shape }] }) => {
    if (dtype === 'float32') return [e.float32(data, shape as number[])];
    const integers = e.int32(data, shape as number[]);
    return [dtype === 'bool' ? e.emit('Cast', [integers], { to: ELEMENT.bool }) : integers];
  },
  iota: (e, { attributes: { length } }) => [range(e, length)],

  add: direct('Add'),
  subtract: direct('Sub'),
  multiply: direct('Mul'),
  divide: direct('Div'),
  negate: direct('Neg'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  cos: direct('Cos'),
  sin: direct('Sin'),
  tanh: direct('Tanh'),
  sigmoid: direct('Sigmoid'),
  relu: direct('Relu'),
  // HardSigmoid is clamp(alpha x + beta, 0, 1). It maps erf's range [-1, 1] to [0, 1] in a single pass.
  normalCdf: (e, _, [x]) => {
    const scaled = e.emit('Mul', [x, e.float32([Math.SQRT1_2], [])]);
    return [
      e.emit('HardSigmoid', [e.emit('Erf', [scaled])], { alpha: { float: 0.5 }, beta: { float: 0.5 } }),
    ];
  },
  gelu: direct('Gelu'),
  stopGradient: (_, __, [x]) => [x],
  watch: (_, __, [y]) => [y],
  equal: direct('Equal'),
  greater: direct('Greater'),
  where: direct('Where'),
  cast: (e, { attributes: { to } }, [x]) => [e.emit('Cast', [x], { to: ELEMENT[to] })],

  matmul: (e, node, [a, b]) => {
    const { transposeA, transposeB, scale } = node.attributes;
    const rank = node.outputs[0].shape.length;
    if (rank === 2) return [gemm(e, node, [a, b])];
    const swapped = Array.from({ length: rank }, (_, axis) => axis);
    swapped.push(...swapped.splice(-2).reverse());
    const turned = (x: string, turn: boolean) => (turn ? e.emit('Transpose', [x], { perm: swapped }) : x);
    const product = e.emit('MatMul', [turned(a, transposeA), turned(b, transposeB)]);
    return [scale === 1 ? product : e.emit('Mul', [product, e.float32([scale], [])])];
  },
  blockMatmul: lowerBlockMatmul,
  byteMatmul: lowerByteMatmul,
  columnByteMatmul: lowerColumnByteMatmul,
  sum: (e, { attributes: { axes, keepDims } }, [x]) => [
    e.emit('ReduceSum', [x, e.int64(axes)], { keepdims: Number(keepDims) }),
  ],
  max: (e, { attributes: { axes, keepDims } }, [x]) => [
    e.emit('ReduceMax', [x, e.int64(axes)], { keepdims: Number(keepDims) }),
  ],
  softmax: (e, _, [x]) => [e.emit('Softmax', [x], { axis: -1 })],
  logSumExp: (e, { outputs: [{ shape }] }, [x]) => [
    e.emit('ReduceLogSumExp', [x, e.int64([shape.length - 1])], { keepdims: 1 }),
  ],
  layerNorm: (e, { attributes: { epsilon } }, operands) =>
    e.emitMany('LayerNormalization', operands, { axis: -1, epsilon: { float: epsilon } }, { outputs: 3 }),

  rmsNorm: (e, { attributes: { epsilon }, inputs }, [x, gain]) => {
    const last = e.int64([inputs[0].shape.length - 1]);
    const meanSquare = e.emit('ReduceMean', [e.emit('Mul', [x, x]), last], { keepdims: 1 });
    const root = e.emit('Sqrt', [e.emit('Add', [meanSquare, e.float32([epsilon], [])])]);
    const inverse = e.emit('Div', [e.float32([1], []), root]);
    return [e.emit('Mul', [e.emit('Mul', [x, inverse]), gain]), inverse];
  },
  rotate: (
    e,
    {
      attributes: { headSize },
      inputs: [
        rows,
        {
          shape: [tokens, half],
        },
      ],
    },
    [x, cosines, sines],
  ) => {
    const [heads, pairs] = [(rows.shape[1] as number) / headSize, half as number];
    const whole = e.emit('Reshape', [x, e.reshape([tokens!, heads, headSize])]);
    const part = (from: number, to: number) =>
      e.emit('Slice', [whole, e.int64([from]), e.int64([to]), e.int64([2])]);
    const [a, b] = [part(0, pairs), part(pairs, 2 * pairs)];
    const [c, s] = [cosines, sines].map((table) =>
      e.emit('Reshape', [table, e.reshape([tokens!, 1, pairs])]),
    ) as [string, string];
    const times = (x: string, y: string) => e.emit('Mul', [x, y]);
    const turned = [e.emit('Sub', [times(a, c), times(b, s)]), e.emit('Add', [times(b, c), times(a, s)])];
    if (2 * pairs < headSize) turned.push(part(2 * pairs, headSize));
    return [e.emit('Reshape', [e.emit('Concat', turned, { axis: 2 }), e.reshape(rows.shape)])];
  },

  reshape: (e, { attributes: { shape } }, [x]) => [e.emit('Reshape', [x, e.reshape(shape)])],
  transpose: (e, { attributes: { permutation } }, [x]) => [e.emit('Transpose', [x], { perm: permutation })],
  expand: (e, { attributes: { shape } }, [x]) => [e.emit('Expand', [x, e.shape(shape)])],
  slice: (e, { attributes: { axis, start, end } }, [x]) => [
    e.emit('Slice', [x, e.size(start), e.size(end), e.int64([axis])]),
  ],
  pad: (e, { attributes: { axis, before, after } }, [x]) => [
    e.emit('Pad', [x, e.shape([before, after]), '', e.int64([axis])]),
  ],
  concat: (e, { attributes: { axis } }, operands) => [e.emit('Concat', operands, { axis })],
  gather: (e, _, operands) => [e.emit('Gather', operands, { axis: 0 })],
  // A product with the one-hot matrix of the indices. It is slower than a scatter, but every backend has a kernel for
  // it.
  scatterAdd: (e, { attributes: { rows } }, [indices, updates]) => {
    const column = e.emit('Reshape', [range(e, rows), e.int64([-1, 1])]);
    const oneHot = e.emit('Cast', [e.emit('Equal', [column, indices])], { to: ELEMENT.float32 });
    return [e.emit('MatMul', [oneHot, updates])];
  },
  window: (e, { attributes: { shape } }, [vector, start]) => {
    const [from, to] = e.once(`[${shape}] from ${start} on`, () => {
      const first = e.emit('Reshape', [e.emit('Cast', [start], { to: ELEMENT.int64 }), e.int64([1])]);
      return [first, e.emit('Add', [first, e.count(shape)])];
    });
    const run = e.emit('Slice', [vector, from, to]);
    return [e.emit('Reshape', [run, e.reshape(shape)])];
  },

  after: (e, { inputs: [{ dtype, shape }, gate] }, [name, gateName]) => [
    waiting(e, { name, type: ELEMENT[dtype], shape }, { name: gateName, shape: gate.shape }),
  ],
};

/** ONNX Runtime's own CPU kernels: products that read transposed operands in place, norms, rotations, scatters. */
const cpu: Partial<LoweringTable> = {
  matmul: (e, node, operands) => {
    if (node.outputs[0].shape.length > 2) return [fusedMatMul(e, node, operands)];
    if (!isTall(node)) return [gemm(e, node, operands)];
    return [e.emit('Transpose', [gemm(e, node, operands.toReversed())], { perm: [1, 0] })];
  },
  rmsNorm: (e, { attributes: { epsilon } }, operands) =>
    e.emitMany(
      'SimplifiedLayerNormalization',
      operands,
      { axis: -1, epsilon: { float: epsilon } },
      { outputs: 2 },
    ),
  // The kernel takes all rows as one sequence, and the row of the tables from its position.
  rotate: (e, { attributes: { headSize }, inputs: [rows, cosines] }, [x, ...tables]) => {
    const [tokens, width] = rows.shape as [Dimension, Dimension];
    const sequence = e.emit('Reshape', [x, e.reshape([1, tokens, width])]);
    const rotated = 2 * (cosines.shape[1] as number);
    const attributes = {
      num_heads: (width as number) / headSize,
      ...(rotated < headSize && { rotary_embedding_dim: rotated }),
    };
    const turned = e.emit(
      'RotaryEmbedding',
      [sequence, e.int64([0]), ...tables],
      attributes,
      'com.microsoft',
    );
    return [e.emit('Reshape', [turned, e.reshape(rows.shape)])];
  },
  scatterAdd: (e, { outputs: [{ shape }] }, [indices, updates]) => {
    const zeros = e.emit('Expand', [e.float32([0], []), e.shape(shape)]);
    const positions = e.emit('Cast', [e.emit('Reshape', [indices, e.int64([-1, 1])])], { to: ELEMENT.int64 });
    return [e.emit('ScatterND', [zeros, positions, updates], { reduction: 'add' })];
  },
};

/** The engine does not split products with fewer columns than this among threads. */
const NARROW = 64;

/**
 * Whether a product is Aᵀ B with many rows and few columns, as for the gradient of a low-rank factor. Then it is faster
 * to compute Bᵀ A and transpose the result.
 */
function isTall({
  attributes: { transposeA, transposeB },
  outputs: [{ shape }],
}: GraphNode<'matmul'>): boolean {
  const [rows, columns] = shape;
  if (typeof rows !== 'number' || typeof columns !== 'number') return false;
  return transposeA && !transposeB && columns < Math.min(rows, NARROW);
}

/** The lowering rules of a target: the portable rules, overridden by the target's faster ones. */
export function loweringTable(target: Target): LoweringTable {
  return target === 'cpu' ? { ...portable, ...cpu } : portable;
}

/** 0, 1, 2, … as an int32 vector. */
function range(e: Emitter, length: Dimension): string {
  if (typeof length === 'number')
    return e.int32(
      Array.from({ length }, (_, i) => i),
      [length],
    );
  const end = e.emit('Cast', [e.emit('Reshape', [e.size(length), e.int64([], [0])])], { to: ELEMENT.int32 });
  return e.emit('Range', [e.int32([0], []), end, e.int32([1], [])]);
}

/** A matrix product, plus an optional third operand. */
export function gemm(
  e: Emitter,
  { attributes: { transposeA, transposeB, scale } }: GraphNode<'matmul'>,
  operands: readonly string[],
): string {
  return e.emit('Gemm', operands, {
    transA: Number(transposeA),
    transB: Number(transposeB),
    alpha: { float: scale },
  });
}

/** A batch of products on the CPU. `transBatch` marks an operand with the batch as its second axis. */
export function fusedMatMul(
  e: Emitter,
  { attributes: { transposeA, transposeB, scale } }: GraphNode<'matmul'>,
  operands: readonly string[],
  transBatch: { transBatchA?: number; transBatchB?: number } = {},
): string {
  const attributes = {
    transA: Number(transposeA),
    transB: Number(transposeB),
    alpha: { float: scale },
    ...transBatch,
  };
  return e.emit('FusedMatMul', operands, attributes, 'com.microsoft');
}

function direct<K extends Op>(op: string): Lowering<K> {
  return (e, _, operands) => [e.emit(op, operands)];
}

function boundOutside(): string[] {
  throw new Error('inputs and weights are bound by lower()');
}

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
function lowerBlockMatmul(e: Emitter, node: GraphNode<'blockMatmul'>, operands: Operands<string>): string[] {
  if (hasBlockKernel(node.attributes)) return [packedProduct(e, node, operands)];
  const matrix = dequantized(e, node, operands);
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

function dequantized(
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
