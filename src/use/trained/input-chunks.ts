import { shown, UserError } from '../../support/user-error.ts';

/**
 * Yields lists of at most `size` items.
 *
 * @throws UserError if `items` is not a list of inputs
 */
export function* inputChunks<T>(items: Iterable<T>, size: number): Iterable<T[]> {
  if (typeof Object(items)[Symbol.iterator] !== 'function')
    throw new UserError({
      where: 'inputs',
      fault: `must be a list, got ${shown(items)}`,
      code: 'invalid_argument',
    });
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length === size) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
