import { z } from 'zod';
import { InvalidFile } from '../support/user-error.ts';
import type { CommonConfig } from './model-definition.ts';

/** Maximum size of a field. Larger values indicate a damaged or hostile file, and would allocate much memory. */
const MAX_SIZE = 1_000_000;
const MAX_LAYERS = 1_000;

export const size = z.number().int().min(1).max(MAX_SIZE);
export const layers = z.number().int().min(1).max(MAX_LAYERS);
export const probability = z.number().min(0).max(0.999);

/** Fields of every encoder's config.json. */
export const encoderFields = {
  vocab_size: size,
  initializer_range: z.number().positive().default(0.02),
  num_labels: z.number().int().min(1).max(MAX_SIZE).optional(),
  id2label: z.record(z.string(), z.string()).optional(),
};

/**
 * Number and names of labels as transformers reads them. They come from `id2label`, else from `num_labels`,
 * else from the default `otherwise`.
 */
export function readLabels(
  fields: { num_labels?: number; id2label?: Record<string, string> },
  otherwise = 2,
): Pick<CommonConfig, 'numLabels' | 'id2label'> {
  const id2label = fields.id2label ?? {};
  return { numLabels: Object.keys(id2label).length || (fields.num_labels ?? otherwise), id2label };
}

/** Renames a family's own keys in a config.json to the common names. If both are present, the common key wins. */
export function byOwnNames(json: unknown, ownNames: Readonly<Record<string, string>>): unknown {
  if (typeof json !== 'object' || json === null) return json;
  const fields = json as Record<string, unknown>;
  const common = Object.keys(ownNames).filter((name) => Object.hasOwn(fields, name));
  return { ...fields, ...Object.fromEntries(common.map((name) => [ownNames[name], fields[name]])) };
}

/** Parses with a schema. Throws a UserError with all problems. */
export function parseFields<T>(schema: z.ZodType<T>, json: unknown, where: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new InvalidFile(`${where} does not describe a model:\n${z.prettifyError(result.error)}`);
}

/** Arguments for zod's `refine`: the hidden size must be a multiple of the number of heads. */
export const headsDivideWidth: [
  (fields: { hidden_size: number; num_attention_heads: number }) => boolean,
  { path: string[]; message: string },
] = [
  ({ hidden_size, num_attention_heads }) => hidden_size % num_attention_heads === 0,
  { path: ['num_attention_heads'], message: 'must divide hidden_size' },
];
