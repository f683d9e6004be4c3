import type { Value } from '../../../engine/graph/graph.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import type { EncodedRows } from '../../nn/encoder-layers.ts';
import type { Network } from '../../nn/network.ts';
import { postNormEncoder } from '../../nn/post-norm-encoder.ts';
import type { BertConfig } from './config.ts';

const MODULES = {
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  attended: 'attention.output.dense',
  attention: 'attention.output',
  attentionNorm: 'attention.output.LayerNorm',
  inner: 'intermediate.dense',
  outer: 'output.dense',
  feedForward: 'output',
  feedForwardNorm: 'output.LayerNorm',
};

type EncoderConfig = Pick<
  BertConfig,
  | 'num_hidden_layers'
  | 'num_attention_heads'
  | 'intermediate_size'
  | 'hidden_act'
  | 'layer_norm_eps'
  | 'hidden_dropout_prob'
  | 'attention_probs_dropout_prob'
>;

/**
 * The module `encoder` of BERT and related families, see {@link postNormEncoder}. Returns the last layer's
 * hidden states.
 */
export function bertEncoder(
  module: Network,
  config: EncoderConfig,
  embedded: Value,
  inputs: ModelInputs,
  rows?: EncodedRows,
): Value {
  const { attention_probs_dropout_prob: weights, hidden_dropout_prob: hidden } = config;
  const settings = {
    modules: MODULES,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    innerWidth: config.intermediate_size,
    activation: activation(config.hidden_act),
    epsilon: config.layer_norm_eps,
    dropout: { weights, attended: hidden, outer: hidden },
  };
  return postNormEncoder(module.at('layer'), settings, embedded, inputs, rows);
}
