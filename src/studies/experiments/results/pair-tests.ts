import { holm, type PairedTest, pairedTest } from '../../../scores/stats/paired-test.ts';
import { bestOf } from '../choose.ts';
import type { RowResult } from './results.ts';

/** Tests whether two rows differ in a score, over their common seeds. */
export interface PairTest extends PairedTest {
  first: string;
  second: string;
  /** `p` and `wilcoxon`, corrected by Holm's method for all pairs of the task. */
  holm?: number;
  wilcoxonHolm?: number;
}

/** With more rows, only pairs with the best row are tested: the number of all pairs grows with the square. */
export const MAX_ROWS_IN_PAIRS = 30;

/** Tests every pair of rows with at least two common seeds. */
export function pairTests(rows: readonly RowResult[], score: string, greaterIsBetter: boolean): PairTest[] {
  const scores = rows.map((row) => ({ score: row.scores[score]?.mean ?? Number.NaN, loss: 0 }));
  const [best] = bestOf(new Map(scores.entries()), greaterIsBetter, 1);
  const isTested = (...pair: number[]) => rows.length <= MAX_ROWS_IN_PAIRS || pair.includes(best!);
  const found = rows.flatMap((first, i) =>
    rows.slice(i + 1).flatMap((second, after): PairTest[] => {
      if (!isTested(i, i + 1 + after)) return [];
      const pairs = first.runs.flatMap((run) => {
        const other = second.runs.find(({ seed }) => seed === run.seed);
        const values = [run.scores[score], other?.scores[score]].map((value) => value ?? Number.NaN);
        return values.every(Number.isFinite) ? [values] : [];
      });
      const test = pairedTest(
        pairs.map(([value]) => value!),
        pairs.map(([, value]) => value!),
      );
      return test ? [{ first: first.row, second: second.row, ...test }] : [];
    }),
  );
  const [t, ranks] = [holm(found.map(({ p }) => p)), holm(found.map(({ wilcoxon }) => wilcoxon))];
  return found.map((test, i) => ({
    ...test,
    ...(t[i] !== undefined && { holm: t[i] }),
    ...(ranks[i] !== undefined && { wilcoxonHolm: ranks[i] }),
  }));
}

/** The test of a pair of rows, in either order. */
export function testOf(tests: readonly PairTest[], row: string, other: string): PairTest | undefined {
  const test = tests.find(({ first, second }) => first === row && second === other);
  if (test) return test;
  const turned = tests.find(({ first, second }) => first === other && second === row);
  if (!turned) return undefined;
  const { mean, ...rest } = turned.difference;
  const effect = turned.effect === undefined ? {} : { effect: -turned.effect };
  return { ...turned, first: row, second: other, difference: { mean: -mean, ...rest }, ...effect };
}
