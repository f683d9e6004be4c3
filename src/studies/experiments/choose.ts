/** The result of trying one choice. */
export interface Tried {
  /** The main score; NaN if the run failed or diverged */
  score: number;
  loss: number;
  /** Whether the model scores 0 or predicts one class for every example. */
  learnedNothing?: boolean;
}

/**
 * Indices of the `count` best choices, the best first. Choices are ordered by score, then by loss, then by
 * position.
 */
export function bestOf(tried: ReadonlyMap<number, Tried>, greaterIsBetter: boolean, count: number): number[] {
  const sign = greaterIsBetter ? 1 : -1;
  const value = (number: number) => (Number.isFinite(number) ? number : -Infinity);
  const order = [...tried.entries()].sort(
    ([i, a], [j, b]) =>
      compare(value(sign * b.score), value(sign * a.score)) ||
      compare(value(-b.loss), value(-a.loss)) ||
      i - j,
  );
  return order.slice(0, count).map(([index]) => index);
}

/** A plain difference would be NaN for two equal infinities. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
