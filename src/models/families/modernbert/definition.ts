import { add, matmul, reshape, transpose } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { featureHead } from '../../heads/feature-head.ts';
import { isTied } from '../../heads/masked-lm-head.ts';
import type { ModelDefinition } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { selectRows } from '../../nn/last-rows.ts';
import type { Network } from '../../nn/network.ts';
import { meanTokens } from '../../nn/pool-tokens.ts';
import { type ModernBertConfig, modernBertModel, modernBertNorm, parseModernBertConfig } from './model.ts';

const WORDS = 'model.embeddings.tok_embeddings.weight';

/**
 * The module `head` is part of checkpoints with a language model head. So a classifier starts from a trained
 * `head`.
 */
const CLASSIFIER = { modules: ['classifier'], mayLack: ['head'] };

/** ModernBERT (Warner et al., 2024) as transformers computes it. */
export const modernBert: ModelDefinition<ModernBertConfig> = {
  modelType: 'modernbert',
  baseModelPrefix: 'model',
  roles: {
    queryKeyValue: 'Wqkv',
    output: 'attn.Wo',
    up: 'Wi',
    down: 'mlp.Wo',
  },
  tiedNames: { [WORDS]: ['decoder.weight'] },
  parseConfig: parseModernBertConfig,

  heads: {
    SEQ_CLS: {
      architecture: 'ModernBertForSequenceClassification',
      ...CLASSIFIER,
      build(network, config, inputs) {
        const isMean = config.classifier_pooling === 'mean';
        const hidden = modernBertModel(network, config, inputs, isMean ? 'all' : 'first');
        return classes(network, config, isMean ? meanTokens(hidden, inputs) : hidden, config.numLabels);
      },
    },
    QUESTION_ANS: {
      architecture: 'ModernBertForQuestionAnswering',
      ...CLASSIFIER,
      build(network, config, inputs) {
        const scores = classes(network, config, modernBertModel(network, config, inputs), 2);
        // From sequence-major rows of two scores to [2, batch, sequence].
        return transpose(reshape(scores, [inputs.sequence, inputs.batch, 2]), [2, 1, 0]);
      },
    },
    FEATURE_EXTRACTION: featureHead(
      'ModernBertModel',
      'model',
      modernBertModel,
      (config) => config.hidden_size,
    ),
    TOKEN_CLS: {
      architecture: 'ModernBertForTokenClassification',
      ...CLASSIFIER,
      build(network, config, inputs) {
        const rows = selectRows(modernBertModel(network, config, inputs), inputs.logitRows);
        return classes(network, config, rows, config.numLabels);
      },
    },
    MASKED_LM: {
      architecture: 'ModernBertForMaskedLM',
      modules: [],
      mayLack: ['head', 'decoder'],
      build(network, config, inputs) {
        const { vocab_size, hidden_size, decoder_bias: bias } = config;
        const rows = selectRows(modernBertModel(network, config, inputs), inputs.logitRows);
        const read = transformed(network, config, rows);
        if (!isTied(config)) {
          network.words = 'decoder';
          return network.linear('decoder', read, vocab_size, { bias });
        }
        const words = matmul(read, network.parameter(WORDS, [vocab_size, hidden_size]), { transposeB: true });
        return bias ? add(words, network.parameter('decoder.bias', [vocab_size])) : words;
      },
    },
  },
};

/** The module `head`, which all heads except feature extraction have. */
function transformed(network: Network, config: ModernBertConfig, rows: Value): Value {
  const { hidden_size, classifier_bias: bias } = config;
  const active = activation(config.classifier_activation, 'classifier_activation');
  const dense = network.linear('head.dense', rows, hidden_size, { bias });
  return modernBertNorm(network.at('head.norm'), config, active(dense));
}

function classes(network: Network, config: ModernBertConfig, rows: Value, count: number): Value {
  const dropped = network.dropout(transformed(network, config, rows), config.classifier_dropout);
  return network.linear('classifier', dropped, count);
}
