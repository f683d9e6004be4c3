import { UserError } from '../support/user-error.ts';

/**
 * The maximum number of tokens of an input: `requested` (`data.max_length`), or by default the tokenizer's
 * `model_max_length` (1e30 if it was never set). It is at most `maxPositions`, the number of position embeddings.
 *
 * @param where the key of `requested`, for messages
 * @throws UserError if more is requested than the model supports
 */
export function maxLength(
  requested: number | undefined,
  modelMaxLength: number,
  maxPositions: number,
  where = 'data.max_length',
): number {
  if (requested === undefined) return Math.min(modelMaxLength, maxPositions);
  if (Number.isInteger(requested) && requested > 0 && requested <= maxPositions) return requested;
  throw new UserError({
    where,
    fault: `must be a whole number from 1 to ${maxPositions}, the model's max_position_embeddings, got ${requested}`,
  });
}
