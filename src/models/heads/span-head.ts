import { spanLogits } from '../../nn/span-logits.ts';
import type { CommonConfig, Head } from '../model-definition.ts';
import type { Encode } from './encode.ts';

/** Extractive question answering: `qa_outputs` over every token, behind dropout where the family has one. */
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
      return spanLogits(network.linear('qa_outputs', hidden, 2), inputs);
    },
  };
}
