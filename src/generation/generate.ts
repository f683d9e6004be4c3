import { UserError } from '../support/user-error.ts';
import { beamSearch } from './beam-search.ts';
import type { GenerationSettings } from './generation-settings.ts';
import type { LanguageModel } from './language-model.ts';
import { type GeneratedToken, sampleTokens } from './sample-tokens.ts';
import { type BatchOptions, beginSearch } from './search.ts';

export interface GenerateOptions extends BatchOptions {
  /** Called with every token when it is chosen. In beam search, called only at the end. */
  onToken?: (generated: GeneratedToken) => void;
}

/**
 * Generates from prompts of token ids. The ids equal those of transformers' `generate`. Sampling depends only
 * on the seed and the step.
 *
 * @returns `num_return_sequences` rows per prompt, all of the same length. A row is the prompt, padded on the
 * left, and the generated tokens, padded on the right. For an encoder-decoder, a row is the decoder's tokens
 * with the start token.
 * @throws UserError for prompts and settings that do not fit each other or the model
 */
export async function generate(
  model: LanguageModel,
  prompts: readonly ArrayLike<number>[],
  settings: GenerationSettings,
  { onToken, ...options }: GenerateOptions = {},
): Promise<Int32Array[]> {
  if (prompts.length === 0) return [];
  if (settings.num_beams > 1 && onToken === undefined) {
    const sequences = await beamSearch(await beginSearch(model, prompts, settings, options));
    return sequences.map((tokens) => Int32Array.from(tokens));
  }
  const stream = streamTokens(model, prompts, settings, options);
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return value;
    onToken?.(value);
  }
}

/**
 * Like `generate`, but yields each token, and returns the whole sequences at the end. Does not support beam
 * search.
 */
export async function* streamTokens(
  model: LanguageModel,
  prompts: readonly ArrayLike<number>[],
  settings: GenerationSettings,
  options: BatchOptions = {},
): AsyncGenerator<GeneratedToken, Int32Array[]> {
  if (settings.num_beams > 1) {
    throw new UserError({
      where: 'streaming',
      fault: `needs num_beams: 1, got ${settings.num_beams}`,
      hint: 'Beam search knows its tokens only at the end: do not stream, or set num_beams: 1.',
    });
  }
  if (prompts.length === 0) return [];
  const sequences = yield* sampleTokens(await beginSearch(model, prompts, settings, options));
  return sequences.map((tokens) => Int32Array.from(tokens));
}
