import { z } from 'zod';

/** Ids travel as 32-bit integers. */
const MAX_TOKEN = 2 ** 31 - 1;
/** Lengths too; a search grows its sequences as it goes, so that a great limit costs nothing by itself. */
const MAX_LENGTH = 2 ** 31 - 1;
/** Every row has a cache of its own. More than anyone needs, and too few for a hostile file to do harm. */
const MAX_ROWS = 1024;

const whole = (least: number, most = MAX_LENGTH) =>
  z
    .int()
    .min(least)
    .max(most)
    .describe(`a whole number from ${least}${most < MAX_LENGTH ? ` to ${most}` : ''}`);
const share = z.number().min(0).max(1).describe('a number from 0 to 1');
const flag = z.boolean().describe('true or false');
const id = z.int().min(0).max(MAX_TOKEN);
const token = id.describe('the id of a token');
const tokens = z.union([id, z.array(id).min(1)]).describe('the id of a token, or a list of ids');
const idList = z.array(id).describe('a list of ids of tokens');

/**
 * How text is generated: names and meanings of transformers' `GenerationConfig`, as far as they are known here. Read a
 * key's description for what it takes; `generationSettings` fills in the rest.
 */
export const generationConfigSchema = z.object({
  /** Length of the whole sequence (encoder-decoder: the decoder's), the prompt and its padding included. */
  max_length: whole(1),
  /** Tokens after the prompt; goes before `max_length`. */
  max_new_tokens: whole(1),
  /** Before this length, counted as `max_length`, no text ends. */
  min_length: whole(0),
  /** Before so many tokens after the prompt no text ends. */
  min_new_tokens: whole(0),
  /** Draw tokens by their probabilities instead of taking the likeliest. */
  do_sample: flag,
  /** Texts that are followed side by side; 1: no beam search. */
  num_beams: whole(1, MAX_ROWS),
  /** true: stop with `num_beams` finished; false: when better ones are unlikely; never: when there cannot be any. */
  early_stopping: z.union([z.boolean(), z.literal('never')]).describe('true, false or never'),
  /** A beam's score is divided by its generated length to this power: above 0 favours long ones. */
  length_penalty: z.number().describe('a number'),
  /** N-grams of this size occur once; 0: as often as they like. */
  no_repeat_ngram_size: whole(0),
  /** N-grams of this size that the prompt has do not occur again. */
  encoder_no_repeat_ngram_size: whole(0),
  /** Scores of tokens that have been are divided by this (multiplied where negative). */
  repetition_penalty: z.number().positive().describe('a number above 0'),
  /** Scores are divided by this before a token is drawn. */
  temperature: z.number().min(0).describe('a number above 0'),
  /** Only the k likeliest tokens; 0: all. */
  top_k: whole(0),
  /** Only the likeliest tokens that have this probability together. */
  top_p: share,
  /** Only tokens that have this share of the likeliest one's probability. */
  min_p: share,
  /** Sequences of tokens that do not occur. */
  bad_words_ids: z.array(z.array(id).min(1)).min(1).describe('a list of lists of ids of tokens'),
  /** Tokens that do not occur. */
  suppress_tokens: idList,
  /** Tokens that do not come first. */
  begin_suppress_tokens: idList,
  /** Make probabilities of the scores again after all that changes them. */
  renormalize_logits: flag,
  /** The token that comes first after the start. */
  forced_bos_token_id: token,
  /** The token that comes last where `max_length` is reached. */
  forced_eos_token_id: tokens,
  /** Tokens that end a text. */
  eos_token_id: tokens,
  /** What fills rows that have ended. */
  pad_token_id: token,
  /** What a text begins with that has no prompt. */
  bos_token_id: token,
  /** What an encoder-decoder's texts begin with. */
  decoder_start_token_id: token,
  /** Texts for each prompt. */
  num_return_sequences: whole(1, MAX_ROWS),
});

export type GenerationConfig = Partial<z.output<typeof generationConfigSchema>>;
export type GenerationKey = keyof GenerationConfig;

export const GENERATION_KEYS = Object.keys(generationConfigSchema.shape) as GenerationKey[];
