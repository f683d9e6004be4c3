import { tanh } from '../../../engine/graph/build.ts';
import { featureHead } from '../../heads/feature-extraction/feature-head.ts';
import { maskedLmHead, maskedLmTies } from '../../heads/masked-lm/masked-lm-head.ts';
import { spanHead } from '../../heads/question-answering/span-head.ts';
import { denseClassifierHead } from '../../heads/sequence-classification/dense-classifier-head.ts';
import { tokenHead } from '../../heads/token-classification/token-head.ts';
import type { ModelDefinition } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { classifierDropout } from '../bert/config.ts';
import { bert } from '../bert/definition.ts';
import { parseRobertaConfig, type RobertaConfig } from './config.ts';
import { robertaModel } from './model.ts';

const MASKED_LM = {
  head: ['lm_head'],
  dense: 'lm_head.dense',
  norm: 'lm_head.layer_norm',
  decoder: 'lm_head.decoder',
  bias: 'lm_head.bias',
  embeddings: 'roberta.embeddings.word_embeddings',
};

/** RoBERTa (Liu et al., 2019) as transformers computes it. */
export const roberta = robertaFamily('roberta', 'Roberta', parseRobertaConfig);

/** Defines a family with RoBERTa's architecture under another name. */
export function robertaFamily(
  modelType: string,
  className: string,
  parseConfig: (json: unknown, where: string) => RobertaConfig,
): ModelDefinition<RobertaConfig> {
  return {
    modelType,
    baseModelPrefix: 'roberta',
    roles: bert.roles,
    tiedNames: maskedLmTies(MASKED_LM),
    parseConfig,

    heads: {
      SEQ_CLS: denseClassifierHead(
        `${className}ForSequenceClassification`,
        robertaModel,
        classifierDropout,
        tanh,
      ),
      QUESTION_ANS: spanHead(`${className}ForQuestionAnswering`, robertaModel),
      FEATURE_EXTRACTION: featureHead(
        `${className}Model`,
        'roberta',
        robertaModel,
        (config) => config.hidden_size,
      ),
      TOKEN_CLS: tokenHead(`${className}ForTokenClassification`, robertaModel, classifierDropout),
      MASKED_LM: maskedLmHead(`${className}ForMaskedLM`, robertaModel, MASKED_LM, (config) => ({
        width: config.hidden_size,
        activation: activation('gelu'),
        epsilon: config.layer_norm_eps,
      })),
    },
  };
}
