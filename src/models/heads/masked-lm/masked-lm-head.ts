import { add, matmul } from '../../../graph/build.ts';
import type { Value } from '../../../graph/graph.ts';
import { layerNorm } from '../../../nn/layer-norm.ts';
import { selectRows } from '../../../nn/select-rows.ts';
import type { CommonConfig, Encode, Head } from '../../model-definition.ts';

/** The names of the parts of a family's masked language modelling head. */
export interface MaskedLmModules {
  /** All modules of the head; a checkpoint may lack them. */
  head: readonly string[];
  dense: string;
  norm: string;
  decoder: string;
  /** Another name for the decoder's bias, if both names are tied. */
  bias?: string;
  /** Path of the word embeddings. The decoder's weight is tied to them. */
  embeddings: string;
}

export interface MaskedLmSettings {
  /** Width of the word embeddings. */
  width: number;
  activation: (x: Value) => Value;
  epsilon: number;
}

/**
 * Predicts tokens from hidden states: a dense layer, an activation, a layer norm, and a decoder. The word
 * embeddings are the decoder's weight.
 */
export function maskedLmHead<Config extends CommonConfig & { tie_word_embeddings: boolean }>(
  architecture: string,
  encode: Encode<Config>,
  { head, dense, norm, decoder, bias, embeddings }: MaskedLmModules,
  settings: (config: Config) => MaskedLmSettings,
): Head<Config> {
  return {
    architecture,
    modules: [],
    mayLack: head,
    build(network, config, inputs) {
      const { width, activation, epsilon } = settings(config);
      const { vocabSize, tie_word_embeddings: tied } = config;
      const rows = selectRows(encode(network, config, inputs), inputs.logitRows);
      const transformed = activation(network.linear(dense, rows, width));
      const table = network.parameter(tied ? `${embeddings}.weight` : `${decoder}.weight`, [
        vocabSize,
        width,
      ]);
      const shift = network.parameter(tied && bias ? bias : `${decoder}.bias`, [vocabSize]);
      const words = matmul(layerNorm(network.at(norm), transformed, epsilon), table, { transposeB: true });
      return add(words, shift);
    },
  };
}

/** Other names that a checkpoint may use for this head's tied parameters. */
export function maskedLmTies({ decoder, bias, embeddings }: MaskedLmModules): Record<string, string[]> {
  return {
    [`${embeddings}.weight`]: [`${decoder}.weight`],
    ...(bias && { [bias]: [`${decoder}.bias`] }),
  };
}
