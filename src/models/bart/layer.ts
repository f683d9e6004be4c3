import { add } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { activation } from '../../nn/activation.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import type { BartConfig } from './config.ts';

/** Of every layer norm of the family. */
export const LAYER_NORM_EPSILON = 1e-5;

/** Dropout, residual, and a layer norm after them. */
export function addAndNorm(
  network: Network,
  config: BartConfig,
  path: string,
  x: Value,
  residual: Value,
): Value {
  const sum = add(network.dropout(x, config.dropout), residual);
  return layerNorm(network, path, sum, LAYER_NORM_EPSILON);
}

/** The second half of every layer: the feed-forward network. */
export function feedForward(
  network: Network,
  config: BartConfig,
  path: string,
  hidden: Value,
  innerSize: number,
): Value {
  const inner = network.linear(`${path}.fc1`, hidden, innerSize);
  const active = activation(config.activation_function, 'activation_function')(inner);
  const dropped = network.dropout(active, config.activation_dropout);
  const projected = network.linear(`${path}.fc2`, dropped, config.d_model);
  return addAndNorm(network, config, `${path}.final_layer_norm`, projected, hidden);
}
