import { z } from 'zod';
import { isObject } from '../../support/options.ts';
import { suggest } from '../../support/text.ts';
import { type Complaint, shown } from '../../support/user-error.ts';

/** Ids are 32-bit integers. */
const MAX_TOKEN = 2 ** 31 - 1;
/** Lengths are 32-bit integers too. A large limit costs nothing, because sequences grow step by step. */
const MAX_LENGTH = 2 ** 31 - 1;
/**
 * Maximum number of rows, because each has its own cache. It is far above any real use, and stops malicious
 * files.
 */
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
const token = id.describe('a token id');
const tokens = z.union([id, z.array(id).min(1)]).describe('a token id, or a list of them');
const idList = z.array(id).describe('a list of token ids');

const responseFormat = z
  .discriminatedUnion('type', [
    z.strictObject({
      /** Any JSON object. */
      type: z.literal('json_object'),
    }),
    z.strictObject({
      /** JSON that a schema describes. */
      type: z.literal('json_schema'),
      /** The JSON schema. */
      schema: z.union([z.boolean(), z.looseObject({})]),
    }),
    z.strictObject({
      /** One of several texts. */
      type: z.literal('choice'),
      /** The texts. */
      choices: z.array(z.string().min(1)).min(1),
    }),
  ])
  .describe('type: json_object, type: json_schema with a schema, or type: choice with choices');

/**
 * Generation settings, with the names and meanings of transformers' `GenerationConfig`. `generationSettings`
 * fills in the defaults.
 */
export const generationConfigSchema = z.object({
  /**
   * Maximum length of the sequence, including prompt and padding. For an encoder-decoder, it counts the
   * decoder's tokens.
   */
  max_length: whole(1),
  /** Maximum number of new tokens. Overrides `max_length`. */
  max_new_tokens: whole(1),
  /** Minimum length, counted like `max_length`. */
  min_length: whole(0),
  /** Minimum number of new tokens. */
  min_new_tokens: whole(0),
  /** Sample tokens instead of choosing the most likely. */
  do_sample: flag,
  /** Number of beams. 1: no beam search. */
  num_beams: whole(1, MAX_ROWS),
  /**
   * When beam search stops. true: when `num_beams` texts are complete. false: when a better text is unlikely.
   * never: when a better text is impossible.
   */
  early_stopping: z.union([z.boolean(), z.literal('never')]).describe('true, false or never'),
  /** A beam's score is divided by its length to the power of this value. Values above 0 favor long texts. */
  length_penalty: z.number().describe('a number'),
  /** N-grams of this size occur at most once. 0: no limit. */
  no_repeat_ngram_size: whole(0),
  /** N-grams of this size in the prompt do not occur in the generated text. */
  encoder_no_repeat_ngram_size: whole(0),
  /** Scores of earlier tokens are divided by this, or multiplied if they are negative. */
  repetition_penalty: z.number().positive().describe('a number above 0'),
  /** Scores are divided by this before sampling. */
  temperature: z.number().min(0).describe('a number above 0'),
  /** Sample from the k most likely tokens. 0: all. */
  top_k: whole(0),
  /** Sample from the most likely tokens with this total probability. */
  top_p: share,
  /** Sample from tokens with at least this share of the highest probability. */
  min_p: share,
  /** Sequences of tokens that are never generated. */
  bad_words_ids: z.array(z.array(id).min(1)).min(1).describe('a list of lists of token ids'),
  /** Tokens that are never generated. */
  suppress_tokens: idList,
  /** Tokens that are never generated as the first token. */
  begin_suppress_tokens: idList,
  /** Normalize the scores after all processors. */
  renormalize_logits: flag,
  /** Token forced as the first generated token. */
  forced_bos_token_id: token,
  /** Token forced as the last token at `max_length`. */
  forced_eos_token_id: tokens,
  /** Tokens that end a text. */
  eos_token_id: tokens,
  /** Token that pads finished rows. */
  pad_token_id: token,
  /** First token of a text without a prompt. */
  bos_token_id: token,
  /** First token of an encoder-decoder's output. */
  decoder_start_token_id: token,
  /**
   * How a text is written: as a JSON object, as JSON of a `schema`, or as one of `choices`. This key is not one of
   * transformers.
   */
  response_format: responseFormat,
  /** Number of texts per prompt. */
  num_return_sequences: whole(1, MAX_ROWS),
});

export type GenerationConfig = Partial<z.output<typeof generationConfigSchema>>;
export type GenerationKey = keyof GenerationConfig;

export const GENERATION_KEYS = Object.keys(generationConfigSchema.shape) as GenerationKey[];

/** Config sections that may describe the decoder of a composed model, in transformers' order. */
const DECODERS = ['decoder', 'generator', 'text_config'];

/**
 * The generation config in a model's config.json, for folders without a generation_config.json. Keys missing
 * at the top level are taken from the decoder's section. transformers: `GenerationConfig.from_model_config`.
 */
export function legacyConfig(modelConfig: unknown): unknown {
  if (!isObject(modelConfig)) return modelConfig;
  const decoder = DECODERS.map((name) => modelConfig[name]).find(isObject) ?? {};
  const forced =
    modelConfig.force_bos_token_to_be_generated === true
      ? { forced_bos_token_id: modelConfig.bos_token_id }
      : {};
  const inherited = GENERATION_KEYS.filter((key) => (modelConfig[key] ?? null) === null).map((key) => [
    key,
    decoder[key],
  ]);
  return { ...modelConfig, ...Object.fromEntries(inherited), ...forced };
}

/** The generation_config.json that transformers would write for a model that lacks one. */
export function createGenerationConfig(modelConfig: unknown): Record<string, unknown> {
  const legacy = Object(legacyConfig(modelConfig)) as Record<string, unknown>;
  const known = GENERATION_KEYS.filter((key) => (legacy[key] ?? null) !== null);
  return { _from_model_config: true, ...Object.fromEntries(known.map((key) => [key, legacy[key]])) };
}

interface ReadConfig {
  /** The valid keys. Their combinations can be checked even if other keys are invalid. */
  config: GenerationConfig;
  /** Known keys that are null. */
  nulls: readonly string[];
  problems: readonly Complaint[];
}

/**
 * Reads the supported keys of an untrusted config. Unknown keys are an error if a user wrote them. In files
 * they are accepted, because transformers' files have dozens of them.
 */
export function readGenerationConfig(value: unknown, where: string, from: 'person' | 'file'): ReadConfig {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { config: {}, nulls: [], problems: [{ where, fault: `must be an object, got ${shown(value)}` }] };
  }
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  const isKnown = ([key]: [string, unknown]) => (GENERATION_KEYS as string[]).includes(key);
  const unknown = from === 'file' ? [] : entries.filter((entry) => !isKnown(entry));
  const known = entries.filter(isKnown).filter(([key, inner]) => !(from === 'file' && isNoToken(key, inner)));
  const values = Object.fromEntries(known.filter(([, inner]) => inner !== null));
  const schema = generationConfigSchema.partial();
  const wrong = new Set(schema.safeParse(values).error?.issues.map(({ path }) => String(path[0])));
  return {
    config: schema.parse(Object.fromEntries(Object.entries(values).filter(([key]) => !wrong.has(key)))),
    nulls: known.filter(([, inner]) => inner === null).map(([key]) => key),
    problems: [
      ...unknown.map(([key, inner]) => ({
        where: `${where}: ${key}`,
        fault: `is not a known key, got ${shown(inner)}`,
        hint: suggest(key, GENERATION_KEYS),
      })),
      ...[...wrong].map((key) => ({
        where: `${where}: ${key}`,
        fault: `must be ${generationConfigSchema.shape[key as keyof GenerationConfig].description ?? ''}, got ${shown(values[key])}`,
      })),
    ],
  };
}

/** Whether a value means that the token does not exist. Old files write -1. */
function isNoToken(key: string, value: unknown): boolean {
  return key.endsWith('_token_id') && value === -1;
}
