import { z } from 'zod';
import { layers, parseFields, probability, size } from '../../config-fields.ts';
import type { CommonConfig } from '../../model-definition.ts';
import { bertFields, headsDivideWidth, withCommon } from '../bert/config.ts';

const schema = z
  .object({
    ...bertFields,
    vocab_size: size.default(30000),
    embedding_size: size.default(128),
    hidden_size: size.default(4096),
    num_attention_heads: size.default(64),
    intermediate_size: size.default(16384),
    /** The number of groups of layers that share weights, and the number of layers in a group. */
    num_hidden_groups: layers.default(1),
    inner_group_num: layers.default(1),
    hidden_act: z.string().default('gelu_new'),
    hidden_dropout_prob: probability.default(0),
    attention_probs_dropout_prob: probability.default(0),
    classifier_dropout_prob: probability.default(0.1),
  })
  .refine(...headsDivideWidth)
  .refine(({ num_hidden_groups, num_hidden_layers }) => num_hidden_groups <= num_hidden_layers, {
    path: ['num_hidden_groups'],
    message: 'must not exceed num_hidden_layers',
  });

export type AlbertConfig = z.infer<typeof schema> & CommonConfig;

/** Parses a config.json of `model_type` albert. Fields keep Hugging Face's names. */
export function parseAlbertConfig(json: unknown, where: string): AlbertConfig {
  return withCommon(parseFields(schema, json, where));
}
