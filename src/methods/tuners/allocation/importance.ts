import {
  addExpressions,
  multiplyExpressions,
  subtractExpressions,
  takeAbsolute,
  VectorLoop,
} from '../../../engine/vectors/vector-loop.ts';
import { lazy } from '../../../support/options.ts';
import type { MethodState } from '../method-run.ts';
import type { PrunedModule } from './pruned-module.ts';

/**
 * The importance of each component of a module. For a triplet, it is equation 11: `S_i = s(λ_i) + mean_j s(P_ji) +
 * mean_j s(Q_ij)`. For a doublet, it is the sum of the two means (table 4). Sums are in 64 bits, because the product of
 * two small averages underflows in 32 bits.
 *
 * @param score returns the score of a scalar by its index
 */
export function componentScores(
  { rank, inFeatures, outFeatures, offsets: { A, E, B } }: PrunedModule,
  score: (index: number) => number,
): Float64Array {
  const scores = new Float64Array(rank);
  for (let i = 0; i < rank; i++) {
    let row = 0;
    for (let j = 0; j < inFeatures; j++) row += score(A + i * inFeatures + j);
    let column = 0;
    for (let j = 0; j < outFeatures; j++) column += score(B + j * rank + i);
    scores[i] = (E === undefined ? 0 : score(E + i)) + row / inFeatures + column / outFeatures;
  }
  return scores;
}

/** Keeps a denominator above zero. */
const NOISE_EPSILON = 1e-6;

/** The score of a scalar by its index, from its two averages. */
export const FORMULAS = {
  'sensitivity-uncertainty': (sensitivity: Float32Array, uncertainty: Float32Array) => (i: number) =>
    sensitivity[i]! * uncertainty[i]!,
  /** ε is added only to the denominator, so values with hardly any sensitivity get a low score. */
  'signal-to-noise': (sensitivity: Float32Array, uncertainty: Float32Array) => (i: number) =>
    sensitivity[i]! / (uncertainty[i]! + NOISE_EPSILON),
  'sensitivity-over-uncertainty': (sensitivity: Float32Array, uncertainty: Float32Array) => (i: number) =>
    (sensitivity[i]! + NOISE_EPSILON) / (uncertainty[i]! + NOISE_EPSILON),
  sensitivity: (sensitivity: Float32Array) => (i: number) => sensitivity[i]!,
};

/** The named scores in the notation of the paper's ablations (table 4). */
const SYMBOLS: Readonly<Record<keyof typeof FORMULAS | 'magnitude', string>> = {
  'sensitivity-uncertainty': 's = Ī · Ū',
  'signal-to-noise': 's = Ī / Ū',
  'sensitivity-over-uncertainty': 's = (Ī + ε) / (Ū + ε)',
  sensitivity: 's = I',
  magnitude: 's = |λ|',
};
export type TripletScore = keyof typeof SYMBOLS;
export const SCORE_NAMES = Object.keys(SYMBOLS) as [TripletScore, ...TripletScore[]];

/** Describes a score other than the usual one. */
export function scoreVariant(score: unknown, usual: TripletScore): string[] {
  return score === undefined || score === usual ? [] : [SYMBOLS[score as TripletScore]];
}

/** The ablation with `|λ|` alone as the score, for triplets only. */
export function magnitudeScores({ rank, offsets: { E } }: PrunedModule, values: Float32Array): Float64Array {
  if (E === undefined) throw new Error('a doublet has no λ');
  return Float64Array.from({ length: rank }, (_, i) => Math.abs(values[E + i]!));
}

/** Scores as decimal logarithms with two digits, the largest first. Null for a score of zero or NaN. */
export function scoreLogarithms(scores: Iterable<number>): (number | null)[] {
  return [...scores]
    .map((score) => (score > 0 && score < Infinity ? Math.round(100 * Math.log10(score)) / 100 : null))
    .sort((a, b) => (b ?? -Infinity) - (a ?? -Infinity) || 0);
}

/** The two averages of equations 8 to 10, of each of some values. */
export class Averages {
  protected sensitivity: Float32Array;
  protected uncertainty: Float32Array;

  constructor(length: number) {
    this.sensitivity = new Float32Array(length);
    this.uncertainty = new Float32Array(length);
  }

  /** Ī · Ū of a value by its index. */
  get score(): (index: number) => number {
    return FORMULAS['sensitivity-uncertainty'](this.sensitivity, this.uncertainty);
  }

  state(): MethodState {
    return { sensitivity: this.sensitivity, uncertainty: this.uncertainty };
  }

  restore({ sensitivity, uncertainty }: MethodState): void {
    this.sensitivity = sensitivity as Float32Array;
    this.uncertainty = uncertainty as Float32Array;
  }
}

/**
 * Updates the averages of equations 8 to 10 with one step's gradient, in place and in one pass. All vectors have the
 * same length. The averages start at zero, without bias correction:
 *
 *     I = |w g|     sensitivity ← β1 sensitivity + (1-β1) I     uncertainty ← β2 uncertainty + (1-β2) |I - sensitivity|
 *
 * The last term uses the new sensitivity, as in PEFT.
 */
export function updateImportance(
  {
    values,
    gradient,
    sensitivity,
    uncertainty,
  }: { values: Float32Array; gradient: Float32Array; sensitivity: Float32Array; uncertainty: Float32Array },
  { beta1, beta2 }: { beta1: number; beta2: number },
): void {
  AVERAGES().run(
    { values, gradient, sensitivity, uncertainty },
    { beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2 },
  );
}

const AVERAGES = lazy(
  () =>
    new VectorLoop(
      ['values', 'gradient', 'sensitivity', 'uncertainty'],
      ['beta1', 'rest1', 'beta2', 'rest2'],
      ({ values, gradient, sensitivity, uncertainty, beta1, rest1, beta2, rest2 }) => {
        const importance = takeAbsolute(multiplyExpressions(values, gradient));
        const smooth = addExpressions(
          multiplyExpressions(beta1, sensitivity),
          multiplyExpressions(rest1, importance),
        );
        const deviation = takeAbsolute(subtractExpressions(importance, smooth));
        return {
          sensitivity: smooth,
          uncertainty: addExpressions(
            multiplyExpressions(beta2, uncertainty),
            multiplyExpressions(rest2, deviation),
          ),
        };
      },
    ),
);

/** The sensitivity of one step, `|w g|`, instead of the averages (an ablation of the paper). */
export function rawSensitivity(
  values: Float32Array,
  gradient: Float32Array,
  sensitivity: Float32Array,
): void {
  for (let i = 0; i < sensitivity.length; i++) sensitivity[i] = Math.abs(values[i]! * gradient[i]!);
}
