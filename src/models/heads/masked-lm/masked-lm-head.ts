import { add, matmul } from '../../../graph/build.ts';
import type { Value } from '../../../graph/graph.ts';
import { layerNorm } from '../../../nn/layer-norm.ts';
import { selectRows } from '../../../nn/select-rows.ts';
import type { CommonConfig, Encode, Head } from '../../model-definition.ts';

/** A family's names for the parts of its head for masked language modelling. */
export interface MaskedLmModules {
  /** All modules of the head, which a checkpoint may lack. */
  head: readonly string[];
  dense: string;
  norm: string;
  decoder: string;
  /** The bias that the decoder's is tied to, if it has another name. */
  bias?: string;
  /** The word embeddings, which the decoder's weight is tied to. */
  embeddings: string;
}

export interface MaskedLmSettings {
  /** Width of the word embeddings. */
  width: number;
  activation: (x: Value) => Value;
  epsilon: number;
}

/**
 * Predicts the word at a token: a dense layer, an activation, a layer norm, and a decoder with the word embeddings as
 * weight.
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
      const rows = selectRows(encode(network, config, inputs), inputs);
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

/** Other names that the tied parameters of this head may have in a checkpoint. */
export function maskedLmTies({ decoder, bias, embeddings }: MaskedLmModules): Record<string, string[]> {
  return {
    [`${embeddings}.weight`]: [`${decoder}.weight`],
    ...(bias && { [bias]: [`${decoder}.bias`] }),
  };
}
