import { reshape, transpose } from '../../../engine/graph/build.ts';
import type { CommonConfig, Encode, Head } from '../../model-definition.ts';

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
