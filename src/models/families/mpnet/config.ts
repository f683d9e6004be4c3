import { z } from 'zod';
import { parseFields, size } from '../../config-fields.ts';
import type { CommonConfig } from '../../model-definition.ts';
import { bertFields, headsDivideWidth, withCommon } from '../bert/config.ts';

/** The id of padding for positions and embeddings. transformers uses this constant and ignores `pad_token_id`. */
export const PADDING = 1;
/** T5's bucket settings. In transformers they are constants, and MPNet's field is only the number of rows in the table. */
export const BUCKETS = { relative_attention_num_buckets: 32, relative_attention_max_distance: 128 };

const schema = z
  .object({
    ...bertFields,
    vocab_size: size.default(30527),
    pad_token_id: z.int().nullable().default(1),
    max_position_embeddings: size.min(PADDING + 2).default(512),
    relative_attention_num_buckets: z
      .int()
      .min(BUCKETS.relative_attention_num_buckets)
      .default(BUCKETS.relative_attention_num_buckets),
  })
  .refine(...headsDivideWidth);

export type MpnetConfig = z.infer<typeof schema> & CommonConfig;

/** Parses a config.json of `model_type` mpnet. Fields keep Hugging Face's names. */
export function parseMpnetConfig(json: unknown, where: string): MpnetConfig {
  const fields = parseFields(schema, json, where);
  return {
    ...withCommon(fields),
    typeVocabSize: 0,
    maxLength: fields.max_position_embeddings - PADDING - 1,
  };
}
