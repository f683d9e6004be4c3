import { minimize } from './minimize.ts';

/**
 * The loss of a linear model: cross-entropy of one class per row (`softmax`), cross-entropy of each output
 * separately (`sigmoid`), or half the squared error (`squared`).
 */
export type LinearLoss = 'softmax' | 'sigmoid' | 'squared';

/** Weights [features, outputs], then a bias for each output, row-major. */
export type LinearWeights = Float64Array;

/** Rows of features, in a form that suits how many of them are 0. */
export interface FeatureRows {
  readonly count: number;
  /** Features per row. */
  readonly width: number;
  /** Adds the products of a row with the weights to its scores. */
  addProducts(row: number, weights: LinearWeights, outputs: number, scores: Float64Array): void;
  /** Adds x · scoreᵀ of a row to the gradient of the weights. */
  addGradient(row: number, scores: Float64Array, outputs: number, gradient: Float64Array): void;
}

/** Rows of a sparse matrix: row `i` has `columns` and `values` from `starts[i]` to `starts[i + 1]`. */
export class SparseRows implements FeatureRows {
  constructor(
    readonly width: number,
    readonly starts: Int32Array,
    readonly columns: Int32Array,
    readonly values: Float64Array,
  ) {}

  get count(): number {
    return this.starts.length - 1;
  }

  addProducts(row: number, weights: LinearWeights, outputs: number, scores: Float64Array): void {
    for (let at = this.starts[row]!; at < this.starts[row + 1]!; at++) {
      for (let k = 0; k < outputs; k++)
        scores[row * outputs + k]! += this.values[at]! * weights[this.columns[at]! * outputs + k]!;
    }
  }

  addGradient(row: number, scores: Float64Array, outputs: number, gradient: Float64Array): void {
    for (let at = this.starts[row]!; at < this.starts[row + 1]!; at++) {
      for (let k = 0; k < outputs; k++)
        gradient[this.columns[at]! * outputs + k]! += this.values[at]! * scores[row * outputs + k]!;
    }
  }
}

/** Some rows of a dense matrix [all rows, width]. */
export class DenseRows implements FeatureRows {
  constructor(
    readonly width: number,
    readonly values: Float64Array,
    readonly rows: Int32Array,
  ) {}

  get count(): number {
    return this.rows.length;
  }

  addProducts(row: number, weights: LinearWeights, outputs: number, scores: Float64Array): void {
    const { width, values } = this;
    const from = this.rows[row]! * width;
    if (outputs === 1) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += values[from + i]! * weights[i]!;
      scores[row]! += sum;
      return;
    }
    for (let i = 0, at = 0; i < width; i++) {
      const value = values[from + i]!;
      for (let k = 0; k < outputs; k++, at++) scores[row * outputs + k]! += value * weights[at]!;
    }
  }

  addGradient(row: number, scores: Float64Array, outputs: number, gradient: Float64Array): void {
    const { width, values } = this;
    const from = this.rows[row]! * width;
    if (outputs === 1) {
      const score = scores[row]!;
      for (let i = 0; i < width; i++) gradient[i]! += values[from + i]! * score;
      return;
    }
    for (let i = 0, at = 0; i < width; i++) {
      const value = values[from + i]!;
      for (let k = 0; k < outputs; k++, at++) gradient[at]! += value * scores[row * outputs + k]!;
    }
  }
}

/**
 * Fits weights to rows. The objective is the sum of the losses plus half the squared norm of the weights
 * without biases, times the penalty. This equals scikit-learn's LogisticRegression and Ridge, whose C is
 * 1 / penalty and whose alpha is the penalty.
 *
 * @param targets softmax: class ids [rows]; otherwise [rows, outputs]
 * @param start the weights to start from; by default 0
 */
export function fitLinear(
  x: FeatureRows,
  targets: ArrayLike<number>,
  outputs: number,
  loss: LinearLoss,
  { penalty = 1, start }: { penalty?: number; start?: LinearWeights } = {},
): LinearWeights {
  const biases = x.width * outputs;
  return minimize(
    (weights, gradient) => {
      const scores = linearScores(x, weights, outputs);
      const total = lossOf(scores, targets, outputs, loss);
      let squares = 0;
      for (let i = 0; i < biases; i++) {
        squares += weights[i]! * weights[i]!;
        gradient[i] = penalty * weights[i]!;
      }
      gradient.fill(0, biases);
      for (let row = 0; row < x.count; row++) {
        x.addGradient(row, scores, outputs, gradient);
        for (let k = 0; k < outputs; k++) gradient[biases + k]! += scores[row * outputs + k]!;
      }
      // Divided by the number of rows, so that one tolerance suits files of every length.
      for (let i = 0; i < gradient.length; i++) gradient[i]! /= x.count;
      return (total + (penalty * squares) / 2) / x.count;
    },
    start ?? new Float64Array(biases + outputs),
  );
}

/** Outputs of a linear model, [rows, outputs]. */
export function linearScores(x: FeatureRows, weights: LinearWeights, outputs: number): Float64Array {
  const biases = weights.length - outputs;
  const scores = new Float64Array(x.count * outputs);
  for (let row = 0; row < x.count; row++) {
    for (let k = 0; k < outputs; k++) scores[row * outputs + k] = weights[biases + k]!;
    x.addProducts(row, weights, outputs, scores);
  }
  return scores;
}

/** Returns the sum of the losses, and overwrites the scores with their derivative. */
export function lossOf(
  scores: Float64Array,
  targets: ArrayLike<number>,
  outputs: number,
  loss: LinearLoss,
): number {
  let total = 0;
  if (loss === 'softmax') {
    for (let row = 0; row < targets.length; row++) {
      const rowScores = scores.subarray(row * outputs, (row + 1) * outputs);
      const largest = rowScores.reduce((a, b) => Math.max(a, b));
      const score = rowScores[targets[row]!]! - largest;
      let sum = 0;
      for (let k = 0; k < outputs; k++) sum += rowScores[k] = Math.exp(rowScores[k]! - largest);
      for (let k = 0; k < outputs; k++) rowScores[k]! /= sum;
      rowScores[targets[row]!]! -= 1;
      total += Math.log(sum) - score;
    }
    return total;
  }
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (loss === 'squared') {
      scores[i] = score - targets[i]!;
      total += scores[i]! ** 2 / 2;
    } else {
      scores[i] = 1 / (1 + Math.exp(-score)) - targets[i]!;
      total += Math.max(score, 0) - score * targets[i]! + Math.log1p(Math.exp(-Math.abs(score)));
    }
  }
  return total;
}
