import { short } from '../format.ts';

export interface Ticks {
  values: number[];
  labels: string[];
}

/** Factors of ticks within a power of ten, from coarse to fine. */
const STEPS = [[1], [1, 3], [1, 2, 5]];

/**
 * Ticks at round numbers, as decimal logarithms within a domain of logarithms. Their number is about `about` at most.
 */
export function logTicks([low, high]: readonly [number, number], about = 5): Ticks {
  const inside = (values: readonly number[]) =>
    values.filter((value) => value >= low - 1e-9 && value <= high + 1e-9);
  const choices = STEPS.map((factors) => inside(candidates(low, high, factors)));
  const finest = choices.findLast((values) => values.length <= about + 1) ?? thinned(choices[0]!, about + 1);
  const values = finest.length > 1 ? finest : choices[2]!;
  return { values, labels: values.map((value) => numberLabel(10 ** value)) };
}

/** A domain of logarithms that contains all values and ends at round numbers. It is never empty. */
export function logDomain(logarithms: readonly number[]): [number, number] {
  const finite = logarithms.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const all = candidates(low - 1, high + 1, STEPS[2]!);
  const from = all.findLast((value) => value <= low + 1e-9)!;
  const to = all.find((value) => value >= high - 1e-9 && value > from + 1e-9)!;
  return [from, to];
}

function candidates(low: number, high: number, factors: readonly number[]): number[] {
  const first = Math.floor(low);
  return Array.from({ length: Math.ceil(high) - first + 1 }, (_, i) =>
    factors.map((factor) => first + i + Math.log10(factor)),
  ).flat();
}

function thinned(values: readonly number[], most: number): number[] {
  const stride = Math.ceil(values.length / most);
  return values.filter((value) => Math.round(value) % stride === 0);
}

/** Formats a number such as `0.02`, `300`, `50 k`, `1.2 M` or `1e−9`. */
function numberLabel(value: number): string {
  const clean = Number(value.toPrecision(3));
  if (clean >= 1e6 && clean < 1e9) return `${Number((clean / 1e6).toPrecision(3))} M`;
  if (clean >= 1e4 && clean < 1e6) return `${Number((clean / 1e3).toPrecision(3))} k`;
  if (clean >= 1e-4 && clean < 1) return `${clean}`;
  return short(clean).replace('.0e', 'e');
}

/** About `about` round values inside [low, high]. Their distance is 1, 2 or 5 times a power of ten. */
export function niceTicks(low: number, high: number, about = 4): number[] {
  if (!(high > low)) return [low];
  const step = niceStep((high - low) / about);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => cleared((first + i) * step));
}

/** A domain that contains all values and ends at round values. It is never empty. */
export function niceDomain(values: readonly number[], about = 4): [low: number, high: number] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  let [low, high] = [Math.min(...finite), Math.max(...finite)];
  if (low === high) {
    const room = Math.abs(low) / 10 || 1;
    [low, high] = [low - room, high + room];
  }
  const step = niceStep((high - low) / about);
  return [cleared(Math.floor(low / step + 1e-9) * step), cleared(Math.ceil(high / step - 1e-9) * step)];
}

function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10);
}

/** Removes the last digits, which come from binary fractions. */
function cleared(value: number): number {
  return Number(value.toPrecision(12)) + 0;
}
