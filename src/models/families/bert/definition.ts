import { tanh } from '../../../engine/graph/build.ts';
import { featureHead } from '../../heads/feature-head.ts';
import { spanHead, tokenHead } from '../../heads/linear-heads.ts';
import { maskedLmHead, maskedLmTies } from '../../heads/masked-lm-head.ts';
import type { ModelDefinition } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { type BertConfig, bertModel, classifierDropout, parseBertConfig } from './model.ts';

const MASKED_LM = {
  head: ['cls.predictions'],
  dense: 'cls.predictions.transform.dense',
  norm: 'cls.predictions.transform.LayerNorm',
  decoder: 'cls.predictions.decoder',
  bias: 'cls.predictions.bias',
  embeddings: 'bert.embeddings.word_embeddings',
};

/** BERT (Devlin et al., 2019) as transformers computes it. */
export const bert: ModelDefinition<BertConfig> = {
  modelType: 'bert',
  baseModelPrefix: 'bert',
  roles: {
    query: 'query',
    key: 'key',
    value: 'value',
    output: 'attention.output.dense',
    up: 'intermediate.dense',
    down: 'output.dense',
  },
  tiedNames: maskedLmTies(MASKED_LM),
  parseConfig: parseBertConfig,

  heads: {
    SEQ_CLS: {
      architecture: 'BertForSequenceClassification',
      modules: ['classifier'],
      mayLack: ['bert.pooler'],
      build(network, config, inputs) {
        const first = bertModel(network, config, inputs, 'first');
        const pooled = tanh(network.linear('bert.pooler.dense', first, config.hidden_size));
        return network.linear(
          'classifier',
          network.dropout(pooled, classifierDropout(config)),
          config.numLabels,
        );
      },
    },
    QUESTION_ANS: spanHead('BertForQuestionAnswering', bertModel),
    FEATURE_EXTRACTION: featureHead('BertModel', 'bert', bertModel, (config) => config.hidden_size),
    TOKEN_CLS: tokenHead('BertForTokenClassification', bertModel, classifierDropout),
    MASKED_LM: maskedLmHead('BertForMaskedLM', bertModel, MASKED_LM, (config) => ({
      width: config.hidden_size,
      activation: activation(config.hidden_act),
      epsilon: config.layer_norm_eps,
    })),
  },
};
