import { z } from 'zod';
import { bertFields, headsDivideWidth, withCommon } from '../bert/config.ts';
import { parseFields, size } from '../config-fields.ts';
import type { CommonConfig } from '../model-definition.ts';

const schema = z
  .object({
    ...bertFields,
    embedding_size: size.default(128),
    hidden_size: size.default(256),
    num_attention_heads: size.default(4),
    intermediate_size: size.default(1024),
  })
  .refine(...headsDivideWidth);

export type ElectraConfig = z.infer<typeof schema> & CommonConfig;

/** Parses a config.json of `model_type` electra. Fields keep Hugging Face's names. */
export function parseElectraConfig(json: unknown, where: string): ElectraConfig {
  return withCommon(parseFields(schema, json, where));
}
