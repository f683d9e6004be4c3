import { UserError } from '../support/user-error.ts';

/**
 * The most tokens an input may have: `requested` (`data.max_length`), or without it the tokenizer's `model_max_length`
 * (which is 1e30 where nobody set it), never above `maxPositions`, the positions for which the model has embeddings.
 *
 * @param where the key of `requested`, for messages
 * @throws UserError when more is requested than the model can take.
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
    expected: `a whole number from 1 to ${maxPositions}, the model's max_position_embeddings`,
    got: String(requested),
  });
}
