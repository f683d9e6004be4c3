/** The result of a choice in a grid. */
export interface Tried {
  /** The main score; NaN if the run failed or diverged. */
  score: number;
  loss: number;
}

/** Indices of the best of some choices, the best first: by score, then by lower loss, then by their order. */
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

/** Equal infinities compare as equal, because their difference would be NaN. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
