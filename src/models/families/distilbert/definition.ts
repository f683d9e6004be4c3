import { relu } from '../../../engine/graph/build.ts';
import { featureHead } from '../../heads/feature-extraction/feature-head.ts';
import { maskedLmHead, maskedLmTies } from '../../heads/masked-lm/masked-lm-head.ts';
import { spanHead } from '../../heads/question-answering/span-head.ts';
import { tokenHead } from '../../heads/token-classification/token-head.ts';
import type { ModelDefinition } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { type DistilBertConfig, parseDistilBertConfig } from './config.ts';
import { distilBertModel, EPSILON } from './model.ts';

const MASKED_LM = {
  head: ['vocab_transform', 'vocab_layer_norm', 'vocab_projector'],
  dense: 'vocab_transform',
  norm: 'vocab_layer_norm',
  decoder: 'vocab_projector',
  embeddings: 'distilbert.embeddings.word_embeddings',
};

/** DistilBERT (Sanh et al., 2019) as transformers computes it. */
export const distilBert: ModelDefinition<DistilBertConfig> = {
  modelType: 'distilbert',
  baseModelPrefix: 'distilbert',
  roles: {
    query: 'q_lin',
    key: 'k_lin',
    value: 'v_lin',
    output: 'out_lin',
    up: 'lin1',
    down: 'lin2',
  },
  tiedNames: maskedLmTies(MASKED_LM),
  parseConfig: parseDistilBertConfig,

  heads: {
    SEQ_CLS: {
      architecture: 'DistilBertForSequenceClassification',
      modules: ['pre_classifier', 'classifier'],
      build(network, config, inputs) {
        const first = distilBertModel(network, config, inputs, 'first');
        const pooled = relu(network.linear('pre_classifier', first, config.dim));
        return network.linear(
          'classifier',
          network.dropout(pooled, config.seq_classif_dropout),
          config.numLabels,
        );
      },
    },
    QUESTION_ANS: spanHead('DistilBertForQuestionAnswering', distilBertModel, ({ qa_dropout }) => qa_dropout),
    FEATURE_EXTRACTION: featureHead('DistilBertModel', 'distilbert', distilBertModel, ({ dim }) => dim),
    TOKEN_CLS: tokenHead('DistilBertForTokenClassification', distilBertModel, ({ dropout }) => dropout),
    MASKED_LM: maskedLmHead('DistilBertForMaskedLM', distilBertModel, MASKED_LM, (config) => ({
      width: config.dim,
      activation: activation(config.activation, 'activation'),
      epsilon: EPSILON,
    })),
  },
};
