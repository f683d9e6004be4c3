import { interval } from './interval.ts';

export type Point = readonly [x: number, y: number];

/** A curve. If it is the mean of several runs, it has the interval of the mean. */
export interface Series {
  points: Point[];
  band?: (readonly [x: number, low: number, high: number])[];
}

/** More points would not be visible in the width of a figure. */
const MAX_POINTS = 240;

/** The mean of several runs' curves at their common steps. For one run, it is the curve itself. */
export function meanSeries(curves: readonly (readonly Point[])[]): Series {
  const present = curves.filter((curve) => curve.length > 0).map(thinPoints);
  if (present.length === 0) return { points: [] };
  const [first, ...others] = present.map((curve) => new Map(curve));
  const shared = [...first!.keys()].filter((x) => others.every((curve) => curve.has(x)));
  const at = shared.map((x) => ({ x, ...interval(present.map((_, i) => [first, ...others][i]!.get(x)!)) }));
  const points = at.map(({ x, mean }): Point => [x, mean]);
  if (others.length === 0) return { points };
  return { points, band: at.map(({ x, mean, half = 0 }) => [x, mean - half, mean + half] as const) };
}

/**
 * A curve of at most {@link MAX_POINTS} points. Each point of a longer curve becomes the mean of equally many
 * neighbors.
 */
export function thinPoints(points: readonly Point[]): Point[] {
  const finite = points.filter(([, y]) => Number.isFinite(y));
  const width = Math.ceil(finite.length / MAX_POINTS);
  if (width <= 1) return finite;
  return Array.from({ length: Math.ceil(finite.length / width) }, (_, i): Point => {
    const some = finite.slice(i * width, (i + 1) * width);
    return [some.at(-1)![0], some.reduce((sum, [, y]) => sum + y, 0) / some.length];
  });
}
