import { shown, UserError } from '../../support/user-error.ts';

/** The error for using a closed model. */
export function closedModel(where: string): UserError {
  return new UserError({ where, fault: 'is called on a model that was closed' });
}

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

/** Answers in the order of their inputs. Iterate them with `for await`, or await all as an array. */
export type Predictions<Answer> = AsyncGenerator<Answer> & PromiseLike<Answer[]>;

/** Makes answers awaitable. Nothing is computed before the first is asked for. */
export function createPredictions<Answer>(answers: AsyncGenerator<Answer>): Predictions<Answer> {
  let all: Promise<Answer[]> | undefined;
  const awaitable: PromiseLike<Answer[]> = {
    // biome-ignore lint/suspicious/noThenProperty: `await model.predict(texts)` is what programs write first
    then(onDone, onFailed) {
      all ??= collect(answers);
      return all.then(onDone, onFailed);
    },
  };
  return Object.assign(answers, awaitable);
}

async function collect<Answer>(answers: AsyncGenerator<Answer>): Promise<Answer[]> {
  const all: Answer[] = [];
  for await (const answer of answers) all.push(answer);
  return all;
}
