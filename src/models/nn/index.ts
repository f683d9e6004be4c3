/**
 * Graphs of tensors (the ops in which losses and methods are written), layers and losses over them, and the network that a
 * method changes.
 *
 * @module nn
 */

export * from '../../engine/graph/index.ts';
export { activation } from './activation.ts';
export { type AttentionOptions, attention } from './attention.ts';
export { attentionBias } from './attention-bias.ts';
export { layerNorm } from './layer-norm.ts';
export { average, binaryCrossEntropy, crossEntropy, meanSquaredError } from './losses.ts';
export {
  type Injection,
  type LinearModule,
  Network,
  type Sublayer,
  type SublayerEnd,
} from './network.ts';
