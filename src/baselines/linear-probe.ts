import { fitLinear, type LinearLoss, linearScores, lossOf } from './linear-model.ts';
import type { SparseRows } from './sparse-rows.ts';

export interface ProbedRows {
  /** [rows, width] */
  features: Float32Array;
  width: number;
  /** As in `fitLinear`. */
  targets: ArrayLike<number>;
  outputs: number;
  loss: LinearLoss;
}

/**
 * Candidate standard deviations for scaled features. A scale squared equals scikit-learn's C for standardised
 * features.
 */
const SCALES = [0.02, 0.05, 0.1, 0.2, 0.5];
/** One row in this many is held out to choose the scale. */
const PART = 5;

/**
 * Fits a linear layer to features. Tries each of the `SCALES`, which set the strength of the penalty, and
 * takes the one with the lowest loss on a fifth of the rows.
 *
 * @returns weight [outputs, width] and bias [outputs]
 */
export function linearProbe(rows: ProbedRows): { weight: Float32Array; bias: Float32Array } {
  const { features, width, targets, outputs, loss } = rows;
  const count = features.length / width;
  const perRow = targets.length / count;
  const { means, deviations } = momentsOf(features, width);
  const all = Array.from({ length: count }, (_, row) => row);
  const scaled = (scale: number, chosen: readonly number[]): SparseRows => ({
    starts: Int32Array.from({ length: chosen.length + 1 }, (_, i) => i * width),
    columns: Int32Array.from({ length: chosen.length * width }, (_, at) => at % width),
    values: Float64Array.from({ length: chosen.length * width }, (_, at) => {
      const feature = at % width;
      const value = features[chosen[Math.floor(at / width)]! * width + feature]!;
      return (scale * (value - means[feature]!)) / deviations[feature]!;
    }),
  });
  const targetsOf = (chosen: readonly number[]) =>
    chosen.flatMap((row) => Array.from({ length: perRow }, (_, k) => targets[row * perRow + k]!));
  const fit = (scale: number, chosen: readonly number[]) =>
    fitLinear(scaled(scale, chosen), width, targetsOf(chosen), outputs, loss);
  const learnt = all.filter((row) => row % PART > 0);
  const left = all.filter((row) => row % PART === 0);
  const losses = SCALES.map((scale) =>
    lossOf(linearScores(scaled(scale, left), fit(scale, learnt), outputs), targetsOf(left), outputs, loss),
  );
  const scale = SCALES[losses.indexOf(Math.min(...losses))]!;
  const weights = fit(scale, all);
  const weight = new Float32Array(outputs * width);
  const bias = Float32Array.from({ length: outputs }, (_, k) => {
    let shift = 0;
    for (let i = 0; i < width; i++) {
      const folded = (weights[i * outputs + k]! * scale) / deviations[i]!;
      weight[k * width + i] = folded;
      shift += folded * means[i]!;
    }
    return weights[width * outputs + k]! - shift;
  });
  return { weight, bias };
}

function momentsOf(features: Float32Array, width: number) {
  const rows = features.length / width;
  const means = new Float64Array(width);
  const squares = new Float64Array(width);
  features.forEach((value, at) => {
    means[at % width]! += value / rows;
  });
  features.forEach((value, at) => {
    squares[at % width]! += (value - means[at % width]!) ** 2 / rows;
  });
  // A constant feature has deviation 0; 1 avoids a division by zero.
  return { means, deviations: squares.map((square) => Math.sqrt(square) || 1) };
}
