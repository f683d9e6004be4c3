import type { CommonConfig, Encode, Head } from '../../model-definition.ts';
import { selectRows } from '../../nn/select-rows.ts';

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
