import { tanh } from '../../../engine/graph/build.ts';
import { featureHead } from '../../heads/feature-extraction/feature-head.ts';
import { maskedLmHead, maskedLmTies } from '../../heads/masked-lm/masked-lm-head.ts';
import { spanHead } from '../../heads/question-answering/span-head.ts';
import { denseClassifierHead } from '../../heads/sequence-classification/dense-classifier-head.ts';
import { tokenHead } from '../../heads/token-classification/token-head.ts';
import type { ModelDefinition } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { type MpnetConfig, parseMpnetConfig } from './config.ts';
import { mpnetModel } from './model.ts';

const MASKED_LM = {
  head: ['lm_head'],
  dense: 'lm_head.dense',
  norm: 'lm_head.layer_norm',
  decoder: 'lm_head.decoder',
  bias: 'lm_head.bias',
  embeddings: 'mpnet.embeddings.word_embeddings',
};

const dropout = (config: MpnetConfig) => config.hidden_dropout_prob;

/** MPNet (Song et al., 2020) as transformers computes it. */
export const mpnet: ModelDefinition<MpnetConfig> = {
  modelType: 'mpnet',
  baseModelPrefix: 'mpnet',
  roles: {
    query: 'attn.q',
    key: 'attn.k',
    value: 'attn.v',
    output: 'attn.o',
    up: 'intermediate.dense',
    down: 'output.dense',
  },
  tiedNames: maskedLmTies(MASKED_LM),
  parseConfig: parseMpnetConfig,

  heads: {
    SEQ_CLS: denseClassifierHead('MPNetForSequenceClassification', mpnetModel, dropout, tanh),
    QUESTION_ANS: spanHead('MPNetForQuestionAnswering', mpnetModel),
    FEATURE_EXTRACTION: featureHead('MPNetModel', 'mpnet', mpnetModel, ({ hidden_size }) => hidden_size),
    TOKEN_CLS: tokenHead('MPNetForTokenClassification', mpnetModel, dropout),
    MASKED_LM: maskedLmHead('MPNetForMaskedLM', mpnetModel, MASKED_LM, (config) => ({
      width: config.hidden_size,
      activation: activation('gelu'),
      epsilon: config.layer_norm_eps,
    })),
  },
};
