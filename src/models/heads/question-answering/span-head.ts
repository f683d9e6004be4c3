import { reshape, transpose } from '../../../graph/build.ts';
import type { CommonConfig, Encode, Head } from '../../model-definition.ts';

/** Extractive question answering: `qa_outputs` over every token, after dropout if the family has one. */
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
      // Sequence-major rows of two scores, as [2, batch, sequence].
      return transpose(reshape(scores, [inputs.sequence, inputs.batch, 2]), [2, 1, 0]);
    },
  };
}
