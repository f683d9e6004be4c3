import { expect, it } from 'vitest';
import { PredictionQueue } from './prediction-queue.ts';

/** A model that answers numbers, two per batch, and fails for negative ones. Also returns its rounds. */
function counting() {
  const rounds: unknown[][] = [];
  const model = {
    batchSize: 2,
    inputsAtOnce: 100,
    check: () => {},
    async answer(inputs: readonly unknown[]) {
      rounds.push([...inputs]);
      await new Promise(setImmediate);
      const wrong = inputs.find((input) => Number(input) < 0);
      if (wrong !== undefined) throw new Error(`${wrong} is below 0`);
      return inputs.map((input) => ({ of: input }));
    },
  };
  return { rounds, queue: new PredictionQueue(model, () => new Promise(setImmediate)) };
}

const of = (...inputs: number[]) => inputs.map((input) => ({ of: input }));

it('computes simultaneous requests together', async () => {
  const { rounds, queue } = counting();
  const answers = await Promise.all([[1], [2], [3]].map((inputs) => queue.answer(inputs, {})));
  expect(answers).toEqual([of(1), of(2), of(3)]);
  expect(rounds).toEqual([[1, 2], [3]]);
});

it('computes a short request beside a long one', async () => {
  const { rounds, queue } = counting();
  const ended: string[] = [];
  const note = (name: string) => () => void ended.push(name);
  const long = queue.answer([1, 2, 3, 4, 5, 6], {}).then(note('long'));
  await Promise.all([long, queue.answer([7], {}).then(note('short'))]);
  expect(ended).toEqual(['short', 'long']);
  expect(rounds).toEqual([
    [1, 7],
    [2, 3, 4, 5, 6],
  ]);
});

it('separates requests that read their inputs differently', async () => {
  const { rounds, queue } = counting();
  await Promise.all([queue.answer([1], { reading: { text: 'a' } }), queue.answer([2], {})]);
  expect(rounds).toEqual([[1], [2]]);
});

it('fails only the request with the error', async () => {
  const { queue } = counting();
  const [good, bad] = await Promise.allSettled([queue.answer([1], {}), queue.answer([-1], {})]);
  expect(good).toMatchObject({ value: of(1) });
  expect(bad).toMatchObject({ reason: { message: '-1 is below 0' } });
});

it('computes nothing more for an aborted request', async () => {
  const { rounds, queue } = counting();
  const controller = new AbortController();
  const gone = queue.answer([1, 2, 3], { signal: controller.signal });
  const other = queue.answer([4], {});
  controller.abort(new Error('gone'));
  await expect(gone).rejects.toThrow('gone');
  expect(await other).toEqual(of(4));
  expect(rounds).toEqual([[4]]);
});

it('answers an empty list', async () => {
  expect(await counting().queue.answer([], {})).toEqual([]);
});

it('fails a request whose reading is not plain data, and no other', async () => {
  const { queue } = counting();
  const ends = await Promise.allSettled([queue.answer([1], {}), queue.answer([2], { reading: { a: 1n } })]);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
});
