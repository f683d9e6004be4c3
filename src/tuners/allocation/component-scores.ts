import type { TripletModule } from './triplet-module.ts';

/**
 * Importance of each triplet of a module, equation 11: `S_i = s(λ_i) + mean_j s(P_ji) + mean_j s(Q_ij)`.
 * The score of one scalar is its sensitivity, times its uncertainty where that is given. Summed in 64 bits, for the
 * product of two small averages underflows 32.
 */
export function tripletScores(
  { rank, inFeatures, outFeatures, offsets }: TripletModule,
  sensitivity: Float32Array,
  uncertainty?: Float32Array,
): Float64Array {
  const score = (i: number) => (uncertainty ? sensitivity[i] * uncertainty[i] : sensitivity[i]);
  const scores = new Float64Array(rank);
  for (let i = 0; i < rank; i++) {
    let row = 0;
    for (let j = 0; j < inFeatures; j++) row += score(offsets.A + i * inFeatures + j);
    let column = 0;
    for (let j = 0; j < outFeatures; j++) column += score(offsets.B + j * rank + i);
    scores[i] = score(offsets.E + i) + row / inFeatures + column / outFeatures;
  }
  return scores;
}

/** The ablation that goes by `|λ|` alone. */
export function magnitudeScores({ rank, offsets }: TripletModule, values: Float32Array): Float64Array {
  return Float64Array.from({ length: rank }, (_, i) => Math.abs(values[offsets.E + i]));
}
