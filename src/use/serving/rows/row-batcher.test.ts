import { expect, it } from 'vitest';
import { Overloaded } from '../service/service-errors.ts';
import { type BatchLimits, RowBatcher } from './row-batcher.ts';

interface Row {
  length: number;
  name: string;
}

const row = (length: number, name = `${length}`): Row => ({ length, name });
const LIMITS: BatchLimits = { maxRows: 4, maxTokens: 100, maxWait: 1, maxQueued: 20 };

/** A batcher that records its batches. Each of them takes a moment. */
function batcher(
  limits: Partial<BatchLimits> = {},
  fits: (rows: readonly Row[], row: Row) => boolean = () => true,
) {
  const batches: string[][] = [];
  const compute = async (rows: readonly Row[]) => {
    batches.push(rows.map(({ name }) => name));
    await new Promise((resolve) => setTimeout(resolve));
    return rows.map(({ name }) => `of ${name}`);
  };
  return { batches, made: new RowBatcher<Row, string>(compute, fits, { ...LIMITS, ...limits }) };
}

it('batches rows of similar length, the oldest first, and gives each its own result', async () => {
  const { batches, made } = batcher();
  const rows = [10, 50, 11, 9, 48].map((length) => row(length));
  const results = await Promise.all(rows.map((one) => made.submit([one])));
  expect(results).toEqual([['of 10'], ['of 50'], ['of 11'], ['of 9'], ['of 48']]);
  expect(batches).toEqual([
    ['10', '11', '9'],
    ['50', '48'],
  ]);
});

it('fills batches up to the limits of rows and tokens; a longer row is alone', async () => {
  const { batches, made } = batcher({ maxTokens: 30 });
  await made.submit([
    ...Array.from({ length: 6 }, (_, i) => row(5, `a${i}`)),
    row(12),
    row(13),
    row(14),
    row(99),
  ]);
  expect(batches).toEqual([['a0', 'a1', 'a2', 'a3'], ['a4', 'a5'], ['12', '13'], ['14'], ['99']]);
});

it('skips rows that do not fit with the others', async () => {
  const { batches, made } = batcher({}, (rows, { name }) => rows.every((other) => other.name !== name));
  await made.submit([row(5, 'a'), row(5, 'a'), row(5, 'b')]);
  expect(batches).toEqual([['a', 'b'], ['a']]);
});

it('queues all rows of a request or none, and reports too many waiting rows', async () => {
  const { made } = batcher({ maxQueued: 3 });
  const first = made.submit([row(1), row(1)]);
  await expect(made.submit([row(1), row(1)])).rejects.toThrow(Overloaded);
  expect(made.queued).toBe(2);
  expect(await first).toHaveLength(2);
});

it('drops rows of aborted requests, and continues with the others', async () => {
  const { batches, made } = batcher();
  const controller = new AbortController();
  const gone = made.submit([row(1, 'gone')], controller.signal);
  const stays = made.submit([row(1, 'stays')]);
  controller.abort('away');
  await expect(gone).rejects.toBe('away');
  expect(await stays).toEqual(['of stays']);
  expect(batches).toEqual([['stays']]);
});

it('a failing batch fails only its own rows', async () => {
  let runs = 0;
  const compute = async (rows: readonly Row[]) => {
    if (runs++ === 0) throw new Error('broken');
    return rows.map(() => 'well');
  };
  const made = new RowBatcher<Row, string>(compute, () => true, { ...LIMITS, maxRows: 1 });
  const [first, second] = await Promise.allSettled([made.submit([row(1)]), made.submit([row(1)])]);
  expect(first).toMatchObject({ status: 'rejected', reason: new Error('broken') });
  expect(second).toMatchObject({ status: 'fulfilled', value: ['well'] });
});

it('computes the rows of a failed batch one by one, so that a row fails alone', async () => {
  const sizes: number[] = [];
  const compute = async (rows: readonly Row[]) => {
    sizes.push(rows.length);
    if (rows.some(({ name }) => name === 'bad')) throw new Error('cannot run');
    return rows.map(({ name }) => `of ${name}`);
  };
  const made = new RowBatcher<Row, string>(compute, () => true, LIMITS);
  const names = ['a', 'bad', 'b'];
  const ends = await Promise.allSettled(names.map((name) => made.submit([row(5, name)])));
  expect(ends).toMatchObject([{ value: ['of a'] }, { reason: new Error('cannot run') }, { value: ['of b'] }]);
  expect(sizes).toEqual([3, 1, 1, 1]);
});

it('ends every waiting row with an error in batching, and continues with the next', async () => {
  let fails = true;
  const { made } = batcher({}, () => {
    if (fails) throw new Error('no room');
    return true;
  });
  const ends = await Promise.allSettled(['a', 'b', 'c'].map((name) => made.submit([row(5, name)])));
  expect(ends).toMatchObject(Array(3).fill({ reason: new Error('no room') }));
  expect(made.queued).toBe(0);
  fails = false;
  expect(await made.submit([row(5, 'd'), row(5, 'e')])).toEqual(['of d', 'of e']);
});
