import { z } from 'zod';
import { generationConfigSchema } from '../../generation/generation-config.ts';
import { dataFiles } from '../data-files.ts';

const given = z.string().min(1);

const column = z.union([given, z.int().min(0)], {
  error: 'expected a column: its name, or its number from 0',
});

/** Where pairs of texts are, and how the second is written from the first. Names as in transformers' run_summarization.py. */
export const pairDataSchema = z.strictObject({
  /** TSV, CSV or JSON. */
  ...dataFiles,
  /** Columns by name (header, JSON key) or by number from 0. In JSON either may be a list: see `readPairs`. */
  source: column.default('source'),
  /** See `source`. */
  target: column.default('target'),
  /** Whether the first line names the columns. Default: yes if any column is given by name. */
  header: z.boolean().optional(),
  /** Whether a double quote encloses fields. Default: yes in CSV, no in TSV. */
  quote: z.boolean().optional(),
  /** What is put before every source, as T5's `summarize: `. */
  source_prefix: z.string().default(''),
  /** Tokens of a source, special ones included. Default: 1024, or what model and tokenizer allow if that is less. */
  max_source_length: z.int().min(1).optional(),
  /** Tokens of a target, special ones included, and of a generated text. Default: 128, or what the model allows. */
  max_target_length: z.int().min(1).optional(),
  /** Whether evaluation writes texts and scores them; else there is only a loss. Hugging Face has false. */
  predict_with_generate: z.boolean().default(true),
  /** How texts are written, such as `num_beams` and `no_repeat_ngram_size`; goes before the model's own files. */
  generation_config: z.strictObject(generationConfigSchema.partial().shape).optional(),
});

export type PairData = z.output<typeof pairDataSchema>;
