import { featureHead } from '../../heads/feature-extraction/feature-head.ts';
import { spanHead } from '../../heads/question-answering/span-head.ts';
import { tokenHead } from '../../heads/token-classification/token-head.ts';
import type { ModelDefinition } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { type DebertaV2Config, parseDebertaV2Config } from './config.ts';
import { debertaV2MaskedLm, debertaV2Ties } from './masked-lm.ts';
import { debertaV2Model } from './model.ts';

/** DeBERTa v2 and DeBERTaV3 (He et al., 2021 and 2023) as transformers computes them. */
export const debertaV2: ModelDefinition<DebertaV2Config> = {
  modelType: 'deberta-v2',
  baseModelPrefix: 'deberta',
  roles: {
    query: 'query_proj',
    key: 'key_proj',
    value: 'value_proj',
    output: 'attention.output.dense',
    up: 'intermediate.dense',
    down: 'output.dense',
  },
  tiedNames: debertaV2Ties,
  parseConfig: parseDebertaV2Config,

  heads: {
    SEQ_CLS: {
      architecture: 'DebertaV2ForSequenceClassification',
      modules: ['classifier'],
      mayLack: ['pooler'],
      build(network, config, inputs) {
        const { hidden_size: width, hidden_dropout_prob, cls_dropout } = config;
        const first = debertaV2Model(network, config, inputs, 'first');
        const dense = network.linear('pooler.dense', network.dropout(first, config.pooler_dropout), width);
        const pooled = activation(config.pooler_hidden_act, 'pooler_hidden_act')(dense);
        const dropped = network.dropout(pooled, cls_dropout ?? hidden_dropout_prob);
        return network.linear('classifier', dropped, config.numLabels);
      },
    },
    QUESTION_ANS: spanHead('DebertaV2ForQuestionAnswering', debertaV2Model),
    FEATURE_EXTRACTION: featureHead(
      'DebertaV2Model',
      'deberta',
      debertaV2Model,
      (config) => config.hidden_size,
    ),
    TOKEN_CLS: tokenHead(
      'DebertaV2ForTokenClassification',
      debertaV2Model,
      ({ hidden_dropout_prob }) => hidden_dropout_prob,
    ),
    MASKED_LM: debertaV2MaskedLm,
  },
};
