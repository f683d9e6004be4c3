import { UserError } from '../../support/user-error.ts';
import type { GenerationSettings } from './generation-settings.ts';
import type { RowLimits } from './processors/logits-processors.ts';

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
export function searchLimits(
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
export function checkEncoderLength(length: number, maxPositions = Number.POSITIVE_INFINITY): void {
  if (length <= maxPositions) return;
  throw new PromptTooLong({
    where: 'the prompt',
    fault: `has ${length} tokens, more than ${maxPositions}, the model's maximum length`,
    hint: 'Shorten it.',
  });
}
