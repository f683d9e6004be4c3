/** Answers in the order of their inputs. Iterate them with `for await`, or await all as an array. */
export type Predictions<Answer> = AsyncGenerator<Answer> & PromiseLike<Answer[]>;

/** Makes answers awaitable. Nothing is computed before the first is asked for. */
export function predictionsOf<Answer>(answers: AsyncGenerator<Answer>): Predictions<Answer> {
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
