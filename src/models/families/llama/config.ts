import { z } from 'zod';
import { encoderFields, layers, parseFields, probability, readLabels, size } from '../../config-fields.ts';
import type { CommonConfig } from '../../model-definition.ts';
import type { Rotary } from '../../nn/rotary.ts';
import { readRotary } from './rotary.ts';
import { type RotaryFields, rotaryFields, withRotaryFields } from './rotary-fields.ts';

/** Fields of a Llama-like model's config.json. */
export const decoderFields = {
  ...encoderFields,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: layers,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: z.string().default('silu'),
  max_position_embeddings: size.default(2048),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_parameters: rotaryFields,
  attention_dropout: probability.default(0),
  classifier_dropout: probability.nullish(),
  hidden_dropout: probability.nullish(),
  token_classification_bias: z.boolean().default(true),
  tie_word_embeddings: z.boolean().default(false),
  pad_token_id: z.int().nullish(),
  is_causal: z.literal(true).default(true),
};

const decoderSchema = z.object(decoderFields);
type Fields = Omit<z.infer<typeof decoderSchema>, 'rope_parameters'> & { rope_parameters: RotaryFields };

export type DecoderConfig = Fields &
  CommonConfig & { keyValueHeads: number; headSize: number; rotary: Rotary };

/** Parses a config.json of a Llama-like model. Fields keep Hugging Face's names. */
export function parseDecoderConfig<F extends Fields>(
  schema: z.ZodType<F>,
  json: unknown,
  where: string,
): F & DecoderConfig {
  const fields = parseFields(schema.superRefine(checkHeads), withRotaryFields(json), where);
  const { keyValueHeads, headSize } = readHeads(fields);
  const { max_position_embeddings: longest, pad_token_id: padding, rope_parameters: rope } = fields;
  return {
    ...fields,
    ...readLabels(fields),
    keyValueHeads,
    headSize,
    rotary: readRotary(rope, headSize, longest),
    vocabSize: fields.vocab_size,
    typeVocabSize: 0,
    maxLength: rope.rope_type === 'dynamic' ? Math.floor(longest * Math.max(rope.factor, 1)) : longest,
    initializerRange: fields.initializer_range,
    padTokenId: padding ?? undefined,
    readsWhole: rope.rope_type === 'dynamic' || rope.rope_type === 'longrope',
  };
}

function readHeads(fields: Fields) {
  const { hidden_size, num_attention_heads: heads } = fields;
  return {
    keyValueHeads: fields.num_key_value_heads ?? heads,
    headSize: fields.head_dim ?? Math.floor(hidden_size / heads),
  };
}

function checkHeads(fields: Fields, context: z.RefinementCtx): void {
  const { keyValueHeads, headSize } = readHeads(fields);
  const report = (key: keyof Fields, message: string) =>
    context.addIssue({ code: 'custom', path: [key], message });
  if (fields.num_attention_heads % keyValueHeads !== 0)
    report('num_key_value_heads', 'must divide num_attention_heads');
  const { rope_parameters: rope } = fields;
  const turned =
    'partial_rotary_factor' in rope ? Math.floor(headSize * (rope.partial_rotary_factor ?? 1)) : headSize;
  if (
    rope.rope_type === 'longrope' &&
    ![rope.short_factor, rope.long_factor].every((f) => f.length === turned / 2)
  )
    report('rope_parameters', `must have ${turned / 2} factors, half of the rotated features`);
  if (turned % 2 !== 0 || turned === 0)
    report('head_dim', `must be even, because features are rotated in pairs, is ${turned}`);
}
