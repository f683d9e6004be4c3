import { add, concat, matmul, multiply, pad, reshape, slice } from '../../../engine/graph/build.ts';
import { addDimensions, type Dimension, multiplyDimensions } from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { activation } from '../../nn/activation.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import type { DebertaV2Config } from './config.ts';

interface ConvInputs {
  /** The first layer's input, [sequence · batch, hidden]. */
  embedded: Value;
  /** The first layer's output, of the same shape. */
  output: Value;
  /** [sequence · batch, 1]: 0 for padding, 1 for tokens. */
  realRows: Value;
  batch: Dimension;
}

/**
 * The module `conv` after DeBERTa v2's first layer. It applies a convolution along the sequence to the
 * layer's input, an activation, a residual and a layer norm. The result is zero at padding.
 */
export function convLayer(module: Network, config: DebertaV2Config, inputs: ConvInputs): Value {
  const { embedded, output, realRows, batch } = inputs;
  const convolved = multiply(convolution(module.at('conv'), config, embedded, batch), realRows);
  const dropped = module.dropout(convolved, config.hidden_dropout_prob);
  const sum = add(output, activation(config.conv_act, 'conv_act')(dropped));
  return multiply(layerNorm(module.at('LayerNorm'), sum, config.layer_norm_eps), realRows);
}

/**
 * A convolution as a sum of products, one per kernel position. Because rows are sequence-major, shifting by
 * one token means shifting by a whole batch.
 */
function convolution(
  module: Network,
  { hidden_size: width, conv_kernel_size: taps, conv_groups: groups }: DebertaV2Config,
  rows: Value,
  batch: Dimension,
): Value {
  const part = width / groups;
  const weights = module.parameter('weight', [width, part, taps]);
  const margin = multiplyDimensions((taps - 1) / 2, batch);
  const padded = pad(rows, 0, margin, margin);
  const outputs = Array.from({ length: groups }, (_, group) => {
    const [start, end] = [group * part, (group + 1) * part];
    const products = Array.from({ length: taps }, (_, tap) => {
      const offset = multiplyDimensions(tap, batch);
      const shifted = slice(padded, 0, offset, addDimensions(offset, rows.shape[0]!));
      const kernel = reshape(slice(slice(weights, 0, start, end), 2, tap, tap + 1), [part, part]);
      return matmul(slice(shifted, 1, start, end), kernel, { transposeB: true });
    });
    return products.reduce((a, b) => add(a, b));
  });
  return add(concat(outputs, 1), module.parameter('bias', [width]));
}
