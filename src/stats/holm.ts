/** Corrects the p values of several tests by Holm's method. Tests without a p value are not counted. */
export function holm(all: readonly (number | undefined)[]): (number | undefined)[] {
  const order = all.flatMap((p, i) => (p === undefined ? [] : [{ p, i }])).sort((a, b) => a.p - b.p);
  const corrected: (number | undefined)[] = all.map(() => undefined);
  let least = 0;
  order.forEach(({ p, i }, rank) => {
    least = Math.max(least, Math.min(1, (order.length - rank) * p));
    corrected[i] = least;
  });
  return corrected;
}
