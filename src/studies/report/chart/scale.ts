/** Maps a value to pixels. */
export type Scale = (value: number) => number;

/** A linear scale. Its results are rounded to hundredths of a pixel. */
export function linear([low, high]: readonly [number, number], [from, to]: readonly [number, number]): Scale {
  const factor = high === low ? 0 : (to - from) / (high - low);
  return (value) => rounded(from + (value - low) * factor);
}

export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
