import { add, matmul } from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { CommonConfig, Encode, Head } from '../model-definition.ts';
import { selectRows } from '../nn/last-rows.ts';
import { layerNormModule } from '../nn/layer-norm.ts';
import type { Network } from '../nn/network.ts';

/** The fields of a config that decide whether output weights are the word embeddings. */
type TiedConfig = Pick<CommonConfig, 'ownOutput'> & { tie_word_embeddings: boolean };

export function isTied({ tie_word_embeddings, ownOutput = false }: TiedConfig): boolean {
  return tie_word_embeddings && !ownOutput;
}

/**
 * Logits over the vocabulary, from hidden states [rows, width]. The weight is the word embeddings. If it is
 * not tied, it belongs to the module `projection`.
 *
 * @param embeddings path of the word embeddings
 */
export function wordLogits(
  network: Network,
  config: TiedConfig & { vocab_size: number },
  embeddings: string,
  rows: Value,
  projection = 'lm_head',
): Value {
  const { vocab_size } = config;
  network.words = isTied(config) ? embeddings : projection;
  if (!isTied(config)) return network.linear(projection, rows, vocab_size, { bias: false });
  return network.product(embeddings, rows, [vocab_size, rows.shape[1] as number]);
}

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
export function maskedLmHead<Config extends CommonConfig & TiedConfig>(
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
      const { vocabSize } = config;
      const rows = selectRows(encode(network, config, inputs), inputs.logitRows);
      const transformed = activation(network.linear(dense, rows, width));
      const normalized = layerNormModule(network.at(norm), transformed, epsilon);
      const shift = () => network.parameter(bias ?? `${decoder}.bias`, [vocabSize]);
      if (isTied(config)) {
        const table = network.parameter(`${embeddings}.weight`, [vocabSize, width]);
        return add(matmul(normalized, table, { transposeB: true }), shift());
      }
      network.words = decoder;
      // The names of the bias are tied even if the checkpoint has output weights of its own.
      if (!config.tie_word_embeddings || !bias) return network.linear(decoder, normalized, vocabSize);
      return add(network.linear(decoder, normalized, vocabSize, { bias: false }), shift());
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
