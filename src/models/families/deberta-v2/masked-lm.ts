import { UserError } from '../../../support/user-error.ts';
import {
  type MaskedLmModules,
  type MaskedLmSettings,
  maskedLmHead,
  maskedLmTies,
} from '../../heads/masked-lm/masked-lm-head.ts';
import type { Head } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import type { DebertaV2Config } from './config.ts';
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
  throw new UserError({
    where: 'config.json, embedding_size',
    fault: `must equal hidden_size (${width}) unless the masked language model's head is legacy, got ${embedding_size}`,
  });
});

export const debertaV2MaskedLm: Head<DebertaV2Config> = {
  ...legacyHead,
  mayLack: [...LEGACY.head, ...OWN.head],
  build: (network, config, inputs) =>
    config.legacy
      ? legacyHead.build(network, config, inputs)
      : ownHead.build(network, { ...config, tie_word_embeddings: true }, inputs),
};

export const debertaV2Ties = maskedLmTies(LEGACY);

function common(config: DebertaV2Config): Omit<MaskedLmSettings, 'width'> {
  return { activation: activation(config.hidden_act), epsilon: config.layer_norm_eps };
}
