import type { Value } from '../../../engine/graph/graph.ts';
import { activation } from '../../nn/activation.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network, Sublayer } from '../../nn/network.ts';
import { addAndNorm } from '../../nn/post-norm-encoder.ts';
import type { BartConfig } from './config.ts';

/** Epsilon of every layer norm in BART. */
export const LAYER_NORM_EPSILON = 1e-5;

/** The paths of a layer's sublayers, and of the layer norms that follow them. */
const SUBLAYERS = {
  attention: ['self_attn', 'self_attn_layer_norm'],
  crossAttention: ['encoder_attn', 'encoder_attn_layer_norm'],
  feedForward: ['fc2', 'final_layer_norm'],
} as const;

/** Ends a sublayer: dropout of its output, the residual, and a layer norm. */
export function endSublayer(
  layer: Network,
  config: BartConfig,
  kind: Sublayer['kind'],
  { output, residual }: { output: Value; residual: Value },
): Value {
  const [module, norm] = SUBLAYERS[kind];
  return addAndNorm(layer.at(module), kind, layer.dropout(output, config.dropout), {
    residual,
    norm: (sum) => layerNorm(layer.at(norm), sum, LAYER_NORM_EPSILON),
  });
}

/** The feed-forward network at the end of each layer. */
export function feedForward(layer: Network, config: BartConfig, hidden: Value, innerSize: number): Value {
  const inner = layer.linear('fc1', hidden, innerSize);
  const active = activation(config.activation_function, 'activation_function')(inner);
  const output = layer.linear('fc2', layer.dropout(active, config.activation_dropout), config.d_model);
  return endSublayer(layer, config, 'feedForward', { output, residual: hidden });
}
