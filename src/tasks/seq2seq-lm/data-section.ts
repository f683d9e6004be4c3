import { z } from 'zod';
import { generationConfigSchema } from '../../program/generation/generation-config.ts';
import { dataFileKeys } from '../data-files.ts';

const nonEmpty = z.string().min(1);

const column = z.union([nonEmpty, z.int().min(0)], {
  error: 'expected the name of a column, or its number from 0',
});

/** Files with pairs of texts, and how targets are generated. Names as in transformers' run_summarization.py. */
export const pairDataSchema = z.strictObject({
  /** TSV, CSV or JSON. */
  ...dataFileKeys,
  /** Column of the source text: its name or its number from 0. A JSON value may be a list of texts. */
  source: column.default('source'),
  /** Column of the target text: its name or its number from 0. A JSON value may be a list of texts. */
  target: column.default('target'),
  /** Whether the first line is a header. Default: yes if a column is given by name. */
  header: z.boolean().optional(),
  /** Whether double quotes enclose fields. Default: yes in CSV, no in TSV. */
  quote: z.boolean().optional(),
  /** Text put before each source, such as T5's `summarize: `. */
  source_prefix: z.string().default(''),
  /** Maximum number of source tokens, special tokens included. Default: 1024, or the model's limit if lower. */
  max_source_length: z.int().min(1).optional(),
  /** Maximum number of target and generated tokens, special tokens included. Default: 128, or the model's limit. */
  max_target_length: z.int().min(1).optional(),
  /** Generate and score texts in evaluations. Otherwise only the loss is computed. Hugging Face's default is false. */
  predict_with_generate: z.boolean().default(true),
  /** Generation settings, such as `num_beams`. They override the model's files. */
  generation_config: z.strictObject(generationConfigSchema.partial().shape).optional(),
});

export type PairData = z.output<typeof pairDataSchema>;
