/**
 * Graphs of tensors (the ops in which losses and methods are written), layers and losses over them, and the network that a
 * method changes.
 *
 * @module nn
 */

/** Graphs of tensors: a part of the entry point `nn`. */
export * from '../../engine/graph/build.ts';
export { type Dimension, evaluateDimension, symbol } from '../../engine/graph/dimension.ts';
export { Graph, type GraphNode, type Value } from '../../engine/graph/graph.ts';
export type { DataType, Op, Ops, TensorType } from '../../engine/graph/ops.ts';
export { peakMemory } from '../../engine/graph/peak-memory.ts';
export { printGraph } from '../../engine/graph/print.ts';
export { verify } from '../../engine/graph/verify.ts';
export { activation } from './activation.ts';
export { type AttentionOptions, attention } from './attention.ts';
export { attentionBias } from './attention-bias.ts';
export { layerNormModule } from './layer-norm.ts';
export { average, binaryCrossEntropy, crossEntropy, squaredErrorLoss } from './losses.ts';
export {
  type Injection,
  type LinearModule,
  Network,
  type Sublayer,
  type SublayerEnd,
} from './network.ts';
