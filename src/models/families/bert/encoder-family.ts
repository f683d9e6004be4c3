import { featureHead } from '../../heads/feature-head.ts';
import { spanHead, tokenHead } from '../../heads/linear-heads.ts';
import {
  type MaskedLmModules,
  type MaskedLmSettings,
  maskedLmHead,
  maskedLmTies,
} from '../../heads/masked-lm-head.ts';
import type { CommonConfig, Encode, Head, ModelDefinition, ModuleRoles } from '../../model-definition.ts';

/** How families of BERT-like encoders differ. */
interface EncoderFamily<Config extends CommonConfig> {
  modelType: string;
  /** The family's name in classes: `Bert` in `BertForMaskedLM`. */
  name: string;
  /** Prefix of the base model's parameters. */
  prefix: string;
  roles: ModuleRoles;
  parseConfig(json: unknown, where: string): Config;
  model: Encode<Config>;
  /** Width of the hidden states. */
  width(config: Config): number;
  /** The sequence classifier. */
  classifier(architecture: string): Head<Config>;
  /** Dropout before the token classifier, and before the scores of answers. Default of the latter: 0. */
  dropout(config: Config): number;
  spanDropout?(config: Config): number;
  /** The head for masked words. */
  words: MaskedLmModules;
  wordSettings(config: Config): MaskedLmSettings;
}

/** Defines a family of encoders with transformers' heads. */
export function encoderFamily<Config extends CommonConfig & { tie_word_embeddings: boolean }>({
  modelType,
  name,
  prefix,
  roles,
  parseConfig,
  model,
  words,
  ...family
}: EncoderFamily<Config>): ModelDefinition<Config> {
  return {
    modelType,
    baseModelPrefix: prefix,
    roles,
    tiedNames: maskedLmTies(words),
    parseConfig,
    heads: {
      SEQ_CLS: family.classifier(`${name}ForSequenceClassification`),
      QUESTION_ANS: spanHead(`${name}ForQuestionAnswering`, model, family.spanDropout),
      FEATURE_EXTRACTION: featureHead(`${name}Model`, prefix, model, family.width),
      TOKEN_CLS: tokenHead(`${name}ForTokenClassification`, model, family.dropout),
      MASKED_LM: maskedLmHead(`${name}ForMaskedLM`, model, words, family.wordSettings),
    },
  };
}
