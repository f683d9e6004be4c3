import { describe, expect, it } from 'vitest';
import { Random } from '../../support/random.ts';
import { planEpoch, planEvaluation } from './batches.ts';

const BATCH = 32;
/** Draws lengths like those of short sentences. */
const lengths = (n: number) => {
  const random = new Random(3, 'lengths');
  return Int32Array.from({ length: n }, () => 5 + random.integer(40));
};
const plan = (n: number, options: Partial<Parameters<typeof planEpoch>[0]> = {}) =>
  planEpoch({ lengths: lengths(n), batchSize: BATCH, seed: 1, epoch: 0, groupByLength: true, ...options });

/** Padding tokens as a share of all tokens. */
function padding(batches: Int32Array[], lengthOf: Int32Array): number {
  let padded = 0;
  let tokens = 0;
  for (const batch of batches) {
    const own = Array.from(batch, (index) => lengthOf[index]!);
    padded += Math.max(...own) * own.length;
    tokens += own.reduce((a, b) => a + b);
  }
  return 1 - tokens / padded;
}

describe('planEpoch', () => {
  it.each([
    [0, 0],
    [1, 1],
    [31, 1],
    [32, 1],
    [33, 2],
    [5000, 157],
  ])('visits each of %i examples once', (n, batches) => {
    for (const groupByLength of [true, false]) {
      const planned = plan(n, { groupByLength });
      expect(planned.length).toBe(batches);
      expect(planned.slice(0, -1).every((batch) => batch.length === BATCH)).toBe(true);
      expect(planned.flatMap((batch) => [...batch]).sort((a, b) => a - b)).toEqual([...Array(n).keys()]);
    }
  });

  it('depends only on seed and epoch', () => {
    expect(plan(5000)).toEqual(plan(5000));
    expect(plan(5000)).not.toEqual(plan(5000, { epoch: 1 }));
    expect(plan(5000)).not.toEqual(plan(5000, { seed: 2 }));
  });

  it('saves most padding', () => {
    const n = 8551;
    expect(padding(plan(n, { groupByLength: false }), lengths(n))).toBeGreaterThan(0.4);
    expect(padding(plan(n), lengths(n))).toBeLessThan(0.05);
  });

  it('saves most padding of sources and of targets', () => {
    const n = 8551;
    const random = new Random(4, 'targets');
    const targetLengths = Int32Array.from({ length: n }, () => 5 + random.integer(40));
    const sources = lengths(n);
    const both = sources.map((length, i) => length + targetLengths[i]!);
    const alone = plan(n, { lengths: both });
    const together = plan(n, { lengths: both, targetLengths });
    expect(padding(alone, sources) + padding(alone, targetLengths)).toBeGreaterThan(0.5);
    for (const lengthOf of [sources, targetLengths]) expect(padding(together, lengthOf)).toBeLessThan(0.2);
    expect(together.flatMap((batch) => [...batch]).sort((a, b) => a - b)).toEqual([...Array(n).keys()]);
  });

  it('visits short and long batches in any order', () => {
    const n = 8551;
    const lengthOf = lengths(n);
    const means = plan(n).map(
      (batch) => batch.reduce((sum, index) => sum + lengthOf[index]!, 0) / batch.length,
    );
    const half = means.length / 2;
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(Math.abs(mean(means.slice(0, half)) - mean(means.slice(half)))).toBeLessThan(5); // Lengths are up to 40. Sorted batches would differ by 20.
  });

  it('combines an example with others in each epoch', () => {
    const companions = (epoch: number) => new Set(plan(600, { epoch }).find((batch) => batch.includes(7)));
    const [first, second] = [companions(0), companions(1)];
    expect([...first].filter((index) => second.has(index)).length).toBeLessThan(BATCH / 2);
  });
});

it('planEvaluation goes from long to short', () => {
  expect(planEvaluation({ lengths: Int32Array.of(3, 9, 5, 9, 1) }, 2)).toEqual([
    Int32Array.of(1, 3),
    Int32Array.of(2, 0),
    Int32Array.of(4),
  ]);
});
