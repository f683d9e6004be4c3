const BARS = [...'▁▂▃▄▅▆▇█'];
/** Maximum number of bars. More values are sampled evenly, including the first and the last. */
const MAX_BARS = 24;

/** Draws values as a line of bars, scaled from the smallest to the largest value. */
export function sparkline(values: readonly number[]): string {
  const count = Math.min(values.length, MAX_BARS);
  const sampled = Array.from(
    { length: count },
    (_, i) => values[count === 1 ? 0 : Math.round((i * (values.length - 1)) / (count - 1))]!,
  );
  const finite = sampled.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const level = (value: number) =>
    high > low ? Math.round(((value - low) / (high - low)) * (BARS.length - 1)) : 0;
  return sampled.map((value) => (Number.isFinite(value) ? BARS[level(value)] : ' ')).join('');
}
