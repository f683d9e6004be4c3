import type { LinearLayer } from '../../../program/objectives/sentence-classifier.ts';

/** Bounds of the search for a temperature, as logarithms: 1/50 to 50. */
const RANGE = Math.log(50);
const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Precision of the logarithm. A probability changes by less than 1e-3 of itself. */
const PRECISION = 1e-3;

/**
 * The temperature T with which outputs / T have the lowest loss (Guo et al., ICML 2017). The loss is convex in 1 / T, so
 * a golden-section search finds it.
 *
 * @param lossAt returns the loss of outputs that are multiplied by a factor
 */
export function temperatureOf(lossAt: (factor: number) => number): number {
  const loss = (logarithm: number) => lossAt(Math.exp(-logarithm));
  let [low, high] = [-RANGE, RANGE];
  let [a, b] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [ofA, ofB] = [loss(a), loss(b)];
  while (high - low > PRECISION) {
    if (ofA < ofB) {
      [high, b, ofB] = [b, a, ofA];
      a = high - GOLDEN * (high - low);
      ofA = loss(a);
    } else {
      [low, a, ofA] = [a, b, ofB];
      b = low + GOLDEN * (high - low);
      ofB = loss(b);
    }
  }
  return Math.exp((low + high) / 2);
}

/** A layer whose outputs are divided by a temperature. */
export function cooled({ weight, bias }: LinearLayer, temperature: number): LinearLayer {
  return { weight: weight.map((x) => x / temperature), bias: bias.map((x) => x / temperature) };
}
