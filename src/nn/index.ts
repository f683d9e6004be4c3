/**
 * Layers and losses over a graph, and the network that a method changes.
 *
 * @module nn
 */

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
