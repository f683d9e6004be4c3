import { reshape, transpose } from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { CommonConfig, Encode, Head } from '../model-definition.ts';
import { selectRows } from '../nn/last-rows.ts';

/** Extractive question answering: dropout if the family has it, then `qa_outputs` over every token. */
export function spanHead<Config extends CommonConfig>(
  architecture: string,
  encode: Encode<Config>,
  dropout: (config: Config) => number = () => 0,
): Head<Config> {
  return {
    architecture,
    modules: ['qa_outputs'],
    build(network, config, inputs) {
      const hidden = network.dropout(encode(network, config, inputs), dropout(config));
      const scores = network.linear('qa_outputs', hidden, 2);
      // From sequence-major rows of two scores to [2, batch, sequence].
      return transpose(reshape(scores, [inputs.sequence, inputs.batch, 2]), [2, 1, 0]);
    },
  };
}

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

/** Token classification: dropout, then `classifier` over every token. */
export function tokenHead<Config extends CommonConfig>(
  architecture: string,
  encode: Encode<Config>,
  dropout: (config: Config) => number,
): Head<Config> {
  return {
    architecture,
    modules: ['classifier'],
    build(network, config, inputs) {
      const rows = selectRows(encode(network, config, inputs), inputs.logitRows);
      return network.linear('classifier', network.dropout(rows, dropout(config)), config.numLabels);
    },
  };
}
