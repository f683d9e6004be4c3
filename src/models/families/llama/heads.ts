import type { Value } from '../../../engine/graph/graph.ts';
import { encodeLast } from '../../heads/encode-last.ts';
import { wordLogits } from '../../heads/word-logits.ts';
import type { Encode, Head } from '../../model-definition.ts';
import { selectRows } from '../../nn/select-rows.ts';
import type { DecoderConfig } from './config.ts';

/** Default dropout before the token classifier: a constant of transformers. */
const CLASSIFIER_DROPOUT = 0.1;

/**
 * Logits of the next token.
 *
 * @param finish transforms the logits
 * @param words the path of the word embeddings
 */
export function causalHead<Config extends DecoderConfig>(
  architecture: string,
  model: Encode<Config>,
  words: string,
  finish: (logits: Value, config: Config) => Value,
): Head<Config> {
  return {
    architecture,
    modules: [],
    mayLack: ['lm_head'],
    build(network, config, inputs) {
      const rows = selectRows(model(network, config, inputs), inputs.logitRows);
      return finish(wordLogits(network, config, words, rows), config);
    },
  };
}

/** Sequence classification: `score` over the last real token. */
export function sequenceHead<Config extends DecoderConfig>(
  architecture: string,
  model: Encode<Config>,
): Head<Config> {
  return {
    architecture,
    modules: ['score'],
    build(network, config, inputs) {
      const last = encodeLast(model, network, config, inputs, config.padTokenId);
      return network.linear('score', last, config.numLabels, { bias: false });
    },
  };
}

/** Token classification: dropout, then `score` over every token. */
export function tokenHead<Config extends DecoderConfig>(
  architecture: string,
  model: Encode<Config>,
): Head<Config> {
  return {
    architecture,
    modules: ['score'],
    build(network, config, inputs) {
      const rows = selectRows(model(network, config, inputs), inputs.logitRows);
      const dropped = network.dropout(
        rows,
        config.classifier_dropout ?? config.hidden_dropout ?? CLASSIFIER_DROPOUT,
      );
      const bias = config.token_classification_bias;
      return network.linear('score', dropped, config.numLabels, { bias });
    },
  };
}
