import { z } from 'zod';
import { encoderFields, labelsOf, layers, parseFields, probability, size } from '../../config-fields.ts';
import type { CommonConfig } from '../../model-definition.ts';

/** Fields of BERT and related families, with BERT's defaults. */
export const bertFields = {
  ...encoderFields,
  vocab_size: size.default(30522),
  hidden_size: size.default(768),
  num_hidden_layers: layers.default(12),
  num_attention_heads: size.default(12),
  intermediate_size: size.default(3072),
  hidden_act: z.string().default('gelu'),
  hidden_dropout_prob: probability.default(0.1),
  attention_probs_dropout_prob: probability.default(0.1),
  classifier_dropout: probability.nullish(),
  max_position_embeddings: size.default(512),
  type_vocab_size: size.default(2),
  pad_token_id: z.int().nullable().default(0),
  layer_norm_eps: z.number().positive().default(1e-12),
  tie_word_embeddings: z.boolean().default(true),
  is_decoder: z.literal(false, 'only its encoder is supported').default(false),
  add_cross_attention: z.literal(false, 'only its encoder is supported').default(false),
};

type BertFields = z.infer<z.ZodObject<typeof bertFields>>;
export type BertConfig = BertFields & CommonConfig;

/** Arguments for zod's `refine`: the hidden size must be a multiple of the number of heads. */
export const headsDivideWidth: [(fields: BertFields) => boolean, { path: string[]; message: string }] = [
  ({ hidden_size, num_attention_heads }) => hidden_size % num_attention_heads === 0,
  { path: ['num_attention_heads'], message: 'must divide hidden_size' },
];

const schema = z.object(bertFields).refine(...headsDivideWidth);

/** Parses a config.json of `model_type` bert. Fields keep Hugging Face's names. */
export function parseBertConfig(json: unknown, where: string): BertConfig {
  return withCommon(parseFields(schema, json, where));
}

/** Adds the fields that all models share to a config of BERT or a related family. */
export function withCommon<Fields extends BertFields>(fields: Fields): Fields & CommonConfig {
  return {
    ...fields,
    ...labelsOf(fields),
    vocabSize: fields.vocab_size,
    typeVocabSize: fields.type_vocab_size,
    maxLength: fields.max_position_embeddings,
    initializerRange: fields.initializer_range,
    ...(fields.pad_token_id !== null && { padTokenId: fields.pad_token_id }),
  };
}

/** The dropout probability before a classifier. */
export function classifierDropout(config: BertFields): number {
  return config.classifier_dropout ?? config.hidden_dropout_prob;
}
