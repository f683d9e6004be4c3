import { add } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { activation } from '../../nn/activation.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import type { BartConfig } from './config.ts';

/** Of every layer norm of the family. */
export const LAYER_NORM_EPSILON = 1e-5;

/** The end of every sublayer: dropout of what it gives, the residual, and a layer norm, the module `norm`. */
export function addAndNorm(norm: Network, config: BartConfig, x: Value, residual: Value): Value {
  return layerNorm(norm, add(norm.dropout(x, config.dropout), residual), LAYER_NORM_EPSILON);
}

/** The feed-forward network with which every layer ends. */
export function feedForward(layer: Network, config: BartConfig, hidden: Value, innerSize: number): Value {
  const inner = layer.linear('fc1', hidden, innerSize);
  const active = activation(config.activation_function, 'activation_function')(inner);
  const projected = layer.linear('fc2', layer.dropout(active, config.activation_dropout), config.d_model);
  return addAndNorm(layer.at('final_layer_norm'), config, projected, hidden);
}
