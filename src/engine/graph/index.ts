/** Graphs of tensors: a part of the entry point `nn`. */

export * from './build.ts';
export { type Dimension, evaluateDimension, symbol } from './dimension.ts';
export { Graph, type GraphNode, type TensorType, type Value } from './graph.ts';
export type { DataType, Op, Ops } from './ops.ts';
export { peakMemory } from './peak-memory.ts';
export { printGraph } from './print.ts';
export { verify } from './verify.ts';
