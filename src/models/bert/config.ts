import { z } from 'zod';
import { encoderFields, labelsOf, layers, parseFields, probability, size } from '../config-fields.ts';
import type { CommonConfig } from '../model-definition.ts';

const schema = z.object({
  ...encoderFields,
  hidden_size: size,
  num_hidden_layers: layers,
  num_attention_heads: size,
  intermediate_size: size,
  hidden_act: z.string().default('gelu'),
  hidden_dropout_prob: probability.default(0.1),
  attention_probs_dropout_prob: probability.default(0.1),
  classifier_dropout: probability.nullish(),
  max_position_embeddings: size,
  type_vocab_size: size.default(2),
  pad_token_id: z.int().nullable().default(0),
  layer_norm_eps: z.number().positive().default(1e-12),
  position_embedding_type: z.literal('absolute').default('absolute'),
  is_decoder: z.literal(false).default(false),
});

export type BertConfig = z.infer<typeof schema> & CommonConfig;

/** Reads a config.json of `model_type` bert; fields keep Hugging Face's names. */
export function parseBertConfig(json: unknown, where: string): BertConfig {
  const fields = parseFields(
    schema.refine(({ hidden_size, num_attention_heads }) => hidden_size % num_attention_heads === 0, {
      path: ['num_attention_heads'],
      message: 'must divide hidden_size',
    }),
    json,
    where,
  );
  return {
    ...fields,
    ...labelsOf(fields),
    vocabSize: fields.vocab_size,
    typeVocabSize: fields.type_vocab_size,
    maxLength: fields.max_position_embeddings,
    initializerRange: fields.initializer_range,
  };
}
