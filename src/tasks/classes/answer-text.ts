/** Rounds a number to the shortest decimal that gives the same float32. */
export function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return Number(value.toPrecision(9));
}

/** Maps the names of classes to their values. */
export function byLabel(values: readonly number[], labels: readonly string[]): Record<string, number> {
  return Object.fromEntries(values.map((value, id) => [labels[id], value]));
}

/** Formats a probability as a percentage. Rounding never makes it 0 or 100. */
export function percent(probability: number): string {
  if (probability >= 0.9995) return 'more than 99.9 %';
  return `${(100 * probability).toFixed(1)} %`;
}
