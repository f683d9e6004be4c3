import { z } from 'zod';
import { parseFields, size } from '../../config-fields.ts';
import type { CommonConfig } from '../../model-definition.ts';
import { bertFields, headsDivideWidth, withCommon } from '../bert/config.ts';

const schema = z
  .object({ ...bertFields, vocab_size: size.default(50265), pad_token_id: z.int().min(0).default(1) })
  .refine(...headsDivideWidth)
  .refine(({ pad_token_id, max_position_embeddings }) => pad_token_id + 1 < max_position_embeddings, {
    path: ['pad_token_id'],
    message: 'leaves no position, because positions are counted from this id on',
  });

export type RobertaConfig = z.infer<typeof schema> & CommonConfig;

/** Parses a config.json of `model_type` roberta. Fields keep Hugging Face's names. */
export function parseRobertaConfig(json: unknown, where: string): RobertaConfig {
  const fields = parseFields(schema, json, where);
  return { ...withCommon(fields), maxLength: fields.max_position_embeddings - fields.pad_token_id - 1 };
}
