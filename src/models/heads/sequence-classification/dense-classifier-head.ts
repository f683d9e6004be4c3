import type { Value } from '../../../engine/graph/graph.ts';
import type { CommonConfig, Encode, Head } from '../../model-definition.ts';

/**
 * The sequence classifier of RoBERTa and ELECTRA. It applies `classifier.dense`, an activation and
 * `classifier.out_proj` to the first token, with dropout before each module.
 */
export function denseClassifierHead<Config extends CommonConfig>(
  architecture: string,
  encode: Encode<Config>,
  dropout: (config: Config) => number,
  activation: (x: Value) => Value,
): Head<Config> {
  return {
    architecture,
    modules: ['classifier'],
    build(network, config, inputs) {
      const first = encode(network, config, inputs, 'first');
      const dropped = (x: Value) => network.dropout(x, dropout(config));
      const dense = network.linear('classifier.dense', dropped(first), first.shape[1] as number);
      return network.linear('classifier.out_proj', dropped(activation(dense)), config.numLabels);
    },
  };
}
