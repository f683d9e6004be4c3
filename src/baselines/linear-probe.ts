import {
  DenseRows,
  fitLinear,
  type LinearLoss,
  type LinearWeights,
  linearScores,
  lossOf,
} from './linear-model.ts';

/** Features of rows, and what to predict from them. */
export interface ProbeRows {
  /** [rows, width] */
  features: Float32Array;
  width: number;
  /** As in `fitLinear`. */
  targets: ArrayLike<number>;
  outputs: number;
  loss: LinearLoss;
}

/** A linear layer: features [width] to outputs. */
export interface LinearLayer {
  /** [outputs, width] */
  weight: Float32Array;
  /** [outputs] */
  bias: Float32Array;
}

/**
 * Candidates for scikit-learn's C, the inverse of the penalty, on standardized features. Frozen sentence
 * embeddings of some hundred rows are best at 0.003 to 0.03; larger values interpolate the rows.
 */
export const STRENGTHS: readonly number[] = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1];

/** A linear model on standardized features: zero mean and unit variance over the rows, as scikit-learn's StandardScaler. */
export class LinearProbe {
  readonly #rows: ProbeRows;
  readonly #count: number;
  readonly #means: Float64Array;
  readonly #deviations: Float64Array;
  readonly #standardized: Float64Array;

  constructor(rows: ProbeRows) {
    const { features, width } = rows;
    this.#rows = rows;
    this.#count = features.length / width;
    const means = new Float64Array(width);
    const squares = new Float64Array(width);
    features.forEach((value, at) => {
      means[at % width]! += value / this.#count;
    });
    features.forEach((value, at) => {
      squares[at % width]! += (value - means[at % width]!) ** 2 / this.#count;
    });
    // A constant feature has no deviation except for rounding. As in scikit-learn, it is only centered.
    const isConstant = (square: number, i: number) =>
      square <= this.#count * Number.EPSILON * (square + this.#count * Number.EPSILON * means[i]! ** 2);
    const deviations = squares.map((square, i) => (isConstant(square, i) ? 1 : Math.sqrt(square)));
    this.#standardized = Float64Array.from(
      features,
      (value, at) => (value - means[at % width]!) / deviations[at % width]!,
    );
    this.#means = means;
    this.#deviations = deviations;
  }

  /**
   * Predicts each fold with weights that are fitted to the other rows.
   *
   * @param folds the rows of each fold
   * @returns for each of `strengths`: outputs [rows, outputs], NaN for rows in no fold
   */
  outOfFold(folds: readonly Int32Array[], strengths = STRENGTHS): Float64Array[] {
    const { outputs, loss } = this.#rows;
    const found = strengths.map(() => new Float64Array(this.#count * outputs).fill(Number.NaN));
    for (const fold of folds) {
      const held = new Set(fold);
      const rows = Int32Array.from({ length: this.#count }, (_, row) => row).filter((row) => !held.has(row));
      const targets = this.#targetsOf(rows);
      let weights: LinearWeights | undefined;
      for (const [i, strength] of strengths.entries()) {
        // The solution for a weaker penalty is near that for the one before.
        weights = fitLinear(this.#dense(rows), targets, outputs, loss, {
          penalty: 1 / strength,
          start: weights,
        });
        const scores = linearScores(this.#dense(fold), weights, outputs);
        fold.forEach((row, j) => {
          found[i]!.set(scores.subarray(j * outputs, (j + 1) * outputs), row * outputs);
        });
      }
    }
    return found;
  }

  /** The mean loss of outputs as in {@link outOfFold}, over the rows that have some. */
  lossOf(scores: Float64Array): number {
    const { outputs, loss } = this.#rows;
    const rows = Int32Array.from({ length: this.#count }, (_, row) => row).filter(
      (row) => !Number.isNaN(scores[row * outputs]!),
    );
    const taken = Float64Array.from(
      { length: rows.length * outputs },
      (_, at) => scores[rows[Math.floor(at / outputs)]! * outputs + (at % outputs)]!,
    );
    return lossOf(taken, this.#targetsOf(rows), outputs, loss) / rows.length;
  }

  /** Fits a layer to all rows. It reads features that are not standardized. */
  fit(strength: number): LinearLayer {
    const { width, targets, outputs, loss } = this.#rows;
    const all = Int32Array.from({ length: this.#count }, (_, row) => row);
    const weights = fitLinear(this.#dense(all), targets, outputs, loss, { penalty: 1 / strength });
    const weight = new Float32Array(outputs * width);
    const bias = Float32Array.from({ length: outputs }, (_, k) => {
      let shift = 0;
      for (let i = 0; i < width; i++) {
        const folded = weights[i * outputs + k]! / this.#deviations[i]!;
        weight[k * width + i] = folded;
        shift += folded * this.#means[i]!;
      }
      return weights[width * outputs + k]! - shift;
    });
    return { weight, bias };
  }

  #dense(rows: Int32Array): DenseRows {
    return new DenseRows(this.#rows.width, this.#standardized, rows);
  }

  #targetsOf(rows: Int32Array): number[] {
    const perRow = this.#rows.targets.length / this.#count;
    return Array.from(
      { length: rows.length * perRow },
      (_, at) => this.#rows.targets[rows[Math.floor(at / perRow)]! * perRow + (at % perRow)]!,
    );
  }
}
