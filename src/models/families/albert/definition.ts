import { tanh } from '../../../engine/graph/build.ts';
import { featureHead } from '../../heads/feature-extraction/feature-head.ts';
import { maskedLmHead, maskedLmTies } from '../../heads/masked-lm/masked-lm-head.ts';
import { spanHead } from '../../heads/question-answering/span-head.ts';
import { tokenHead } from '../../heads/token-classification/token-head.ts';
import type { ModelDefinition } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { type AlbertConfig, parseAlbertConfig } from './config.ts';
import { albertModel } from './model.ts';

const MASKED_LM = {
  head: ['predictions'],
  dense: 'predictions.dense',
  norm: 'predictions.LayerNorm',
  decoder: 'predictions.decoder',
  bias: 'predictions.bias',
  embeddings: 'albert.embeddings.word_embeddings',
};

const dropout = (config: AlbertConfig) => config.classifier_dropout_prob;

/** ALBERT (Lan et al., 2020) as transformers computes it. */
export const albert: ModelDefinition<AlbertConfig> = {
  modelType: 'albert',
  baseModelPrefix: 'albert',
  roles: {
    query: 'query',
    key: 'key',
    value: 'value',
    output: 'attention.dense',
    up: 'ffn',
    down: 'ffn_output',
  },
  tiedNames: maskedLmTies(MASKED_LM),
  parseConfig: parseAlbertConfig,

  heads: {
    SEQ_CLS: {
      architecture: 'AlbertForSequenceClassification',
      modules: ['classifier'],
      mayLack: ['albert.pooler'],
      build(network, config, inputs) {
        const first = albertModel(network, config, inputs, 'first');
        const pooled = tanh(network.linear('albert.pooler', first, config.hidden_size));
        return network.linear('classifier', network.dropout(pooled, dropout(config)), config.numLabels);
      },
    },
    QUESTION_ANS: spanHead('AlbertForQuestionAnswering', albertModel),
    FEATURE_EXTRACTION: featureHead('AlbertModel', 'albert', albertModel, (config) => config.hidden_size),
    TOKEN_CLS: tokenHead('AlbertForTokenClassification', albertModel, dropout),
    MASKED_LM: maskedLmHead('AlbertForMaskedLM', albertModel, MASKED_LM, (config) => ({
      width: config.embedding_size,
      activation: activation(config.hidden_act),
      epsilon: config.layer_norm_eps,
    })),
  },
};
