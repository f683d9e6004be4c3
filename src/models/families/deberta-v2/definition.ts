import { InvalidFile } from '../../../support/user-error.ts';
import { featureHead } from '../../heads/feature-head.ts';
import { spanHead, tokenHead } from '../../heads/linear-heads.ts';
import {
  type MaskedLmModules,
  type MaskedLmSettings,
  maskedLmHead,
  maskedLmTies,
} from '../../heads/masked-lm-head.ts';
import type { Head, ModelDefinition } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { type DebertaV2Config, parseDebertaV2Config } from './config.ts';
import { debertaV2Model } from './model.ts';

const ARCHITECTURE = 'DebertaV2ForMaskedLM';
const EMBEDDINGS = 'deberta.embeddings.word_embeddings';

/** BERT's head. It is transformers' default (`legacy`), although the original DeBERTa has another head. */
const LEGACY: MaskedLmModules = {
  head: ['cls.predictions'],
  dense: 'cls.predictions.transform.dense',
  norm: 'cls.predictions.transform.LayerNorm',
  decoder: 'cls.predictions.decoder',
  bias: 'cls.predictions.bias',
  embeddings: EMBEDDINGS,
};

/** DeBERTa's own head. It is always tied to the word embeddings. */
const OWN: MaskedLmModules = {
  head: ['lm_predictions.lm_head'],
  dense: 'lm_predictions.lm_head.dense',
  norm: 'lm_predictions.lm_head.LayerNorm',
  decoder: 'lm_predictions.lm_head',
  bias: 'lm_predictions.lm_head.bias',
  embeddings: EMBEDDINGS,
};

const legacyHead = maskedLmHead<DebertaV2Config>(ARCHITECTURE, debertaV2Model, LEGACY, (config) => ({
  ...common(config),
  width: config.embedding_size,
}));

const ownHead = maskedLmHead<DebertaV2Config>(ARCHITECTURE, debertaV2Model, OWN, (config) => {
  const { embedding_size, hidden_size: width } = config;
  if (embedding_size === width) return { ...common(config), width };
  throw new InvalidFile({
    where: 'config.json, embedding_size',
    fault: `must equal hidden_size (${width}) unless the masked language model's head is legacy, got ${embedding_size}`,
  });
});

const debertaV2MaskedLm: Head<DebertaV2Config> = {
  ...legacyHead,
  mayLack: [...LEGACY.head, ...OWN.head],
  build: (network, config, inputs) =>
    config.legacy
      ? legacyHead.build(network, config, inputs)
      : ownHead.build(network, { ...config, tie_word_embeddings: true }, inputs),
};

const debertaV2Ties = maskedLmTies(LEGACY);

function common(config: DebertaV2Config): Omit<MaskedLmSettings, 'width'> {
  return { activation: activation(config.hidden_act), epsilon: config.layer_norm_eps };
}

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
