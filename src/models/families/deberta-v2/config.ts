import { z } from 'zod';
import { encoderFields, layers, parseFields, probability, readLabels, size } from '../../config-fields.ts';
import type { CommonConfig } from '../../model-definition.ts';

/** Maximum number of positions. It limits the table of distances, which is stored in the graph. */
const MAX_POSITIONS = 2 ** 16;

/** Maximum number of products in a convolution, which has one for each kernel position of each group. */
const MAX_CONV_PRODUCTS = 256;

/**
 * The table of distances covers sequences of this many times the model's length. The model itself has no
 * maximum distance.
 */
const TIMES_LENGTH = 4;

const schema = z
  .object({
    ...encoderFields,
    vocab_size: size.default(128100),
    hidden_size: size.default(1536),
    num_hidden_layers: layers.default(24),
    num_attention_heads: size.default(24),
    intermediate_size: size.default(6144),
    hidden_act: z.string().default('gelu'),
    hidden_dropout_prob: probability.default(0.1),
    attention_probs_dropout_prob: probability.default(0.1),
    max_position_embeddings: size.max(MAX_POSITIONS).default(512),
    type_vocab_size: z.int().min(0).max(MAX_POSITIONS).default(0),
    layer_norm_eps: z.number().positive().default(1e-7),
    pad_token_id: z.int().nullable().default(0),
    embedding_size: size.optional(),
    attention_head_size: size.optional(),

    relative_attention: z.boolean().default(false),
    pos_att_type: z
      .union([z.string().transform(listKinds), z.array(z.string())])
      .nullable()
      .default(null)
      .transform((kinds) => kinds ?? []),
    share_att_key: z.boolean().default(false),
    position_buckets: z
      .int()
      .max(MAX_POSITIONS)
      .refine((buckets) => buckets !== 1, 'must leave a bucket on either side: 2 or more, or none (-1)')
      .default(-1),
    max_relative_positions: z.int().max(MAX_POSITIONS).default(-1),
    norm_rel_ebd: z.string().default('none').transform(listKinds),
    position_biased_input: z.boolean().default(true),

    conv_kernel_size: z.int().max(MAX_POSITIONS).default(0),
    conv_groups: size.default(1),
    conv_act: z.string().default('tanh'),

    pooler_hidden_size: size.optional(),
    pooler_dropout: probability.default(0),
    pooler_hidden_act: z.string().default('gelu'),
    cls_dropout: probability.nullish(),

    legacy: z.boolean().default(true),
    tie_word_embeddings: z.boolean().default(true),
  })
  .superRefine((config, context) => {
    const { hidden_size: width, num_attention_heads: heads } = config;
    const need = (holds: boolean, key: keyof typeof config, message: string) => {
      if (!holds) context.addIssue({ code: 'custom', path: [key], message });
    };
    need(width % heads === 0, 'num_attention_heads', 'must divide hidden_size');
    need(
      (config.attention_head_size ?? width / heads) === width / heads,
      'attention_head_size',
      'must be hidden_size / num_attention_heads: attention gives what it takes',
    );
    need((config.pooler_hidden_size ?? width) === width, 'pooler_hidden_size', 'must be hidden_size');
    if (config.conv_kernel_size > 0) {
      need(config.conv_kernel_size % 2 === 1, 'conv_kernel_size', 'must be odd: the length would change');
      need(width % config.conv_groups === 0, 'conv_groups', 'must divide hidden_size');
      need(
        config.conv_kernel_size * config.conv_groups <= MAX_CONV_PRODUCTS,
        'conv_groups',
        `times conv_kernel_size must be at most ${MAX_CONV_PRODUCTS}`,
      );
    }
  });

export interface DebertaV2Config extends Fields, CommonConfig {
  id2label: Readonly<Record<string, string>>;
  embedding_size: number;
  /** Sequence length that the table of distances covers. */
  longest: number;
}

type Fields = Omit<z.infer<typeof schema>, 'id2label' | 'embedding_size'>;

/**
 * Parses a config.json of `model_type` deberta-v2. Fields keep Hugging Face's names. Lists in one string are
 * split. As in transformers, only c2p and p2c count in `pos_att_type`, and only layer_norm in `norm_rel_ebd`.
 */
export function parseDebertaV2Config(json: unknown, where: string): DebertaV2Config {
  const fields = parseFields(schema, json, where);
  const { pad_token_id, max_position_embeddings, position_biased_input } = fields;
  const max_relative_positions =
    fields.max_relative_positions < 1 ? max_position_embeddings : fields.max_relative_positions;
  const longest = TIMES_LENGTH * Math.max(max_position_embeddings, max_relative_positions);
  return {
    ...fields,
    ...readLabels(fields),
    embedding_size: fields.embedding_size ?? fields.hidden_size,
    max_relative_positions,
    longest,
    vocabSize: fields.vocab_size,
    typeVocabSize: fields.type_vocab_size,
    maxLength: position_biased_input ? max_position_embeddings : longest,
    initializerRange: fields.initializer_range,
    padTokenId: pad_token_id ?? undefined,
  };
}

/** Splits a list in one string, such as "p2c|c2p". */
function listKinds(text: string): string[] {
  return text
    .toLowerCase()
    .split('|')
    .map((entry) => entry.trim());
}
