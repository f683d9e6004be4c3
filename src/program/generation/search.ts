import { UserError } from '../../support/user-error.ts';
import type { GenerationSettings } from './generation-settings.ts';
import type { LanguageModel } from './language-model.ts';
import { type LogitsProcessor, logitsProcessors, type RowLimits } from './logits-processors.ts';
import { type PaddedPrompts, padPrompts } from './read-tokens.ts';

/** Runs a language model step by step, and checks its results. */
class ModelReader {
  readonly #model: LanguageModel;
  #rows = 0;

  constructor(model: LanguageModel) {
    this.#model = model;
  }

  /** Reads the first tokens of the rows. */
  async begin(
    tokens: Int32Array,
    rows: number,
    mask: Int32Array,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    this.#rows = rows;
    return this.#checked(await this.#model.read(tokens, rows, { mask, signal }));
  }

  /** Reads one token per row. Row i continues row `parents[i]` of the previous read. */
  async next(tokens: readonly number[], parents: readonly number[]): Promise<Float32Array> {
    const same = parents.length === this.#rows && parents.every((parent, row) => parent === row);
    this.#rows = tokens.length;
    const options = same ? {} : { parents: Int32Array.from(parents) };
    return this.#checked(await this.#model.read(Int32Array.from(tokens), tokens.length, options));
  }

  #checked(logits: Float32Array): Float32Array {
    const wanted = this.#rows * this.#model.vocabSize;
    if (logits.length !== wanted)
      throw new Error(`the model gave ${logits.length} logits instead of ${wanted}`);
    if (!hasNaN(logits)) return logits;
    throw new UserError({
      where: 'the model',
      fault: 'computed NaN logits',
      hint: 'Its weights are damaged, or its activations overflow in half precision. Try another dtype.',
    });
  }
}

function hasNaN(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

/** Thrown if a prompt has more tokens than the model has positions, or than the limit allows. */
export class PromptTooLong extends UserError {
  override name = 'PromptTooLong';
}

/** Default number of new tokens. */
const DEFAULT_NEW_TOKENS = 20;

/**
 * The minimum and maximum length of rows that start with `begun` tokens. Limits on new tokens override limits
 * on whole lengths. Lengths beyond the model's positions are not possible; transformers fails or produces
 * nonsense there.
 *
 * @throws PromptTooLong if there is no room for a new token
 */
function searchLimits(
  settings: GenerationSettings,
  begun: number,
  maxPositions = Number.POSITIVE_INFINITY,
): RowLimits {
  const { max_new_tokens, max_length, min_new_tokens, min_length } = settings;
  const wanted =
    max_new_tokens === undefined ? (max_length ?? begun + DEFAULT_NEW_TOKENS) : begun + max_new_tokens;
  const most = Math.min(wanted, maxPositions);
  if (begun >= most) {
    const isModel = most === maxPositions;
    throw new PromptTooLong({
      where: 'the prompt',
      fault: `has ${begun} tokens, but needs fewer than ${most}, the ${isModel ? "model's maximum length" : 'max_length'}`,
      hint: isModel ? 'Shorten it.' : 'Set max_new_tokens, or shorten it.',
    });
  }
  return { begun, least: min_new_tokens === undefined ? min_length : begun + min_new_tokens, most };
}

/**
 * @throws PromptTooLong if the encoder has too few positions for a prompt
 */
function checkEncoderLength(length: number, maxPositions = Number.POSITIVE_INFINITY): void {
  if (length <= maxPositions) return;
  throw new PromptTooLong({
    where: 'the prompt',
    fault: `has ${length} tokens, more than ${maxPositions}, the model's maximum length`,
    hint: 'Shorten it.',
  });
}

/** Keys that name tokens to generate. */
const PRODUCED = ['forced_bos_token_id', 'forced_eos_token_id', 'bad_words_ids'] as const;

export interface SearchOptions {
  seed?: number | undefined;
  /** Aborts the search before the next token. The search then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Options for generating from several prompts at once. */
export interface BatchOptions extends Omit<SearchOptions, 'seed'> {
  /** Seed of sampling, or one seed per prompt. With its own seed, a prompt is sampled as if it were alone. */
  seed?: number | readonly number[] | undefined;
  /** Called before each token. If it returns true for a row, the row is not continued. */
  hasLeft?: (row: number) => boolean;
  /** Keeps the texts to `response_format`. */
  constraint?: ((limits: RowLimits) => LogitsProcessor) | undefined;
}

/** A search before its first token. Its settings are checked, and the prompts are read. */
export interface Search {
  settings: GenerationSettings;
  vocabSize: number;
  limits: RowLimits;
  /** The tokens with which the rows of each prompt start. */
  begun: readonly (readonly number[])[];
  /** Logits after these tokens, [prompts, vocab]. */
  logits: Float32Array;
  reader: ModelReader;
  process: LogitsProcessor;
  seed: number;
  /** Seed of each prompt, if prompts have separate seeds. */
  seeds?: readonly number[];
  hasLeft?: (row: number) => boolean;
  signal?: AbortSignal;
}

/**
 * @throws UserError for prompts and settings that do not fit each other or the model
 */
export async function beginSearch(
  model: LanguageModel,
  prompts: readonly ArrayLike<number>[],
  settings: GenerationSettings,
  { seed = 0, hasLeft, signal, constraint }: BatchOptions,
): Promise<Search> {
  const { bos_token_id: bos, pad_token_id: pad, decoder_start_token_id: start = bos } = settings;
  const isEncoderDecoder = model.encode !== undefined;
  const started = prompts.map((prompt) => (prompt.length === 0 && bos !== undefined ? [bos] : prompt));
  const padded = padPrompts(started, isEncoderDecoder ? 'right' : 'left', pad);
  const begun = isEncoderDecoder ? startRows(padded.rows.length, start) : padded.rows;
  if (isEncoderDecoder) checkEncoderLength(padded.length, model.maxPositions);
  const limits = searchLimits(settings, begun[0]!.length, model.maxPositions);
  checkTokens(settings, model.vocabSize);
  checkRead(padded.tokens, begun, model.vocabSize);
  const processors = logitsProcessors(settings, limits, padded, isEncoderDecoder, constraint?.(limits));
  signal?.throwIfAborted();
  const reader = new ModelReader(model);
  return {
    settings,
    vocabSize: model.vocabSize,
    limits,
    begun,
    logits: await readPrompts(model, reader, padded, begun, signal),
    reader,
    process: (scores, tokens, item) => {
      for (const process of processors) process(scores, tokens, item);
    },
    ...(typeof seed === 'number' ? { seed } : { seed: seed[0]!, seeds: seed }),
    hasLeft,
    signal,
  };
}

function startRows(items: number, start: number | undefined): number[][] {
  if (start !== undefined) return Array.from({ length: items }, () => [start]);
  throw new UserError({
    where: 'decoder_start_token_id',
    fault: 'is not set, nor is bos_token_id; an encoder-decoder model needs it',
    hint: 'Set decoder_start_token_id.',
    code: 'invalid_argument',
  });
}

async function readPrompts(
  model: LanguageModel,
  reader: ModelReader,
  prompts: PaddedPrompts,
  begun: readonly (readonly number[])[],
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  if (model.encode === undefined) return reader.begin(prompts.tokens, begun.length, prompts.mask, signal);
  await model.encode(prompts.tokens, begun.length, prompts.mask);
  const tokens = Int32Array.from(begun.flat());
  return reader.begin(tokens, begun.length, new Int32Array(tokens.length).fill(1));
}

/**
 * @throws UserError for an invalid token in the prompts, the padding or the decoder's start
 */
function checkRead(tokens: Int32Array, begun: readonly (readonly number[])[], vocabSize: number): void {
  const beyond = [...tokens, ...begun.flat()].find((id) => id < 0 || id >= vocabSize);
  if (beyond === undefined) return;
  const hint = 'Look at pad_token_id, bos_token_id and decoder_start_token_id.';
  throw new UserError({
    where: 'the input',
    fault: `has token id ${beyond}, but the model's vocabulary has ${vocabSize}`,
    hint,
    code: 'invalid_argument',
  });
}

/**
 * @throws UserError with a line for each key that names a token beyond the vocabulary
 */
function checkTokens(settings: GenerationSettings, vocabSize: number): void {
  const problems = PRODUCED.flatMap((key) => {
    const beyond = [settings[key] ?? []].flat(2).find((id) => id >= vocabSize);
    if (beyond === undefined) return [];
    return [
      new UserError({
        where: key,
        fault: `has token id ${beyond}, but the model's vocabulary has ${vocabSize}`,
      }).message,
    ];
  });
  if (problems.length > 0) throw new UserError(problems.join('\n'), 'invalid_argument');
}
