import { add } from '../../graph/build.ts';
import type { Dimension } from '../../graph/dimension.ts';
import type { Value } from '../../graph/graph.ts';
import { activation } from '../../nn/activation.ts';
import { attention } from '../../nn/attention.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import type { BertConfig } from './config.ts';

/** One transformer layer: self-attention, then the feed-forward network, each with a residual and a layer norm after. */
export function bertLayer(
  network: Network,
  config: BertConfig,
  path: string,
  hidden: Value,
  bias: Value,
  batch: Dimension,
): Value {
  const { hidden_size, intermediate_size, num_attention_heads, attention_probs_dropout_prob } = config;
  const shape = {
    batch,
    queries: bias.shape[3],
    heads: num_attention_heads,
    headSize: hidden_size / num_attention_heads,
  };
  const projections = ['query', 'key', 'value'].map((name) => `${path}.attention.self.${name}`);
  const queryKeyValue = network.linearGroup(
    projections,
    hidden,
    projections.map(() => hidden_size),
  );
  const mixed = attention(network, queryKeyValue, bias, shape, { dropout: attention_probs_dropout_prob });
  const attended = bertOutput(network, config, `${path}.attention.output`, mixed, hidden);
  const inner = network.linear(`${path}.intermediate.dense`, attended, intermediate_size);
  return bertOutput(network, config, `${path}.output`, activation(config.hidden_act)(inner), attended);
}

/** Projection back to the hidden size, dropout, residual, layer norm. */
function bertOutput(network: Network, config: BertConfig, path: string, x: Value, residual: Value): Value {
  const projected = network.linear(`${path}.dense`, x, config.hidden_size);
  const sum = add(network.dropout(projected, config.hidden_dropout_prob), residual);
  return layerNorm(network, `${path}.LayerNorm`, sum, config.layer_norm_eps);
}
