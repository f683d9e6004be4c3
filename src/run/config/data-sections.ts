import { z } from 'zod';
import { SAMPLE_BY } from '../../data/text/documents.ts';

const given = z.string().min(1);
const count = z.int().min(1);
const share = z.number().min(0).max(1);

const column = z.union([given, z.int().min(0)], {
  error: 'expected a column: its name, or its number from 0',
});

/** Where labelled examples are and how they are read. */
export const sequenceDataSchema = z.strictObject({
  /** Paths of TSV, CSV or JSON Lines files. */
  train: given,
  validation: given.optional(),
  /** Columns by name (header, JSON key) or by number from 0. */
  text: column,
  /** The second text, for tasks on pairs. */
  text_pair: column.optional(),
  label: column,
  /** Whether the first line names the columns. Default: yes if any column is given by name. */
  header: z.boolean().optional(),
  /** Whether a double quote encloses fields. Default: yes in CSV, no in TSV. */
  quote: z.boolean().optional(),
  /** Between the labels of one row in a multi-label table. Default: `;`. */
  label_separator: given.optional(),
  /** Tokens an input may have, special ones included; what is longer is cut. */
  max_length: count.default(128),
});

/** Keys of all language models. */
const languageData = {
  /** Paths of a text file (.txt), of JSON Lines, or of a folder of such. */
  train: given,
  validation: given.optional(),
  /** Key of the text in JSON Lines. Default: `text`. */
  text: given.optional(),
  /** What is a document of its own: a whole text, each of its paragraphs, or each of its lines. */
  sample_by: z.enum(SAMPLE_BY).default('document'),
  /** Tokens of an example, special ones included. Default: 1024, or what model and tokenizer allow if that is less. */
  max_length: count.optional(),
};

/** What a causal language model learns from. Names as in TRL's `SFTConfig` where it has them. */
export const causalDataSchema = z.strictObject({
  ...languageData,
  /** Keys of prompt and completion, or of a conversation's messages, in JSON Lines. Default: the usual ones, if there. */
  prompt: given.optional(),
  completion: given.optional(),
  messages: given.optional(),
  /** Whether only completions, and in conversations only the assistant's turns, are learnt. */
  completion_only_loss: z.boolean().default(true),
  /** Whether several documents share a row; they do not see each other. */
  packing: z.boolean().default(true),
});

/** What a masked language model learns from. Names as in transformers' `DataCollatorForLanguageModeling`. */
export const maskedDataSchema = z.strictObject({
  ...languageData,
  /** Share of tokens that are to be told. */
  mlm_probability: z.number().gt(0).lt(1).default(0.15),
  /** Share of those that the mask token stands for, and share that a random token stands for. */
  mask_replace_prob: share.default(0.8),
  random_replace_prob: share.default(0.1),
  /** Whether all tokens of a word are masked, or none. */
  whole_word_mask: z.boolean().default(false),
});

export type SequenceData = z.output<typeof sequenceDataSchema>;
export type CausalData = z.output<typeof causalDataSchema>;
export type MaskedData = z.output<typeof maskedDataSchema>;
