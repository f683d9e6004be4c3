import { gradients } from '../engine/autodiff/gradients.ts';
import {
  add,
  divide,
  equal,
  exp,
  greater,
  input,
  iota,
  log,
  logSumExp,
  matmul,
  multiply,
  negate,
  relu,
  reshape,
  slice,
  subtract,
  sum,
  where,
} from '../engine/graph/build.ts';
import { symbol } from '../engine/graph/dimension.ts';
import { Graph, type Value } from '../engine/graph/graph.ts';
import type { Session, Tensors } from '../engine/runtime/session.ts';
import {
  type LinearLoss,
  type LinearWeights,
  minimize,
  twoOutputs,
} from '../scores/baselines/linear-model.ts';
import { releasing } from '../support/opened.ts';
import type { Engine } from './engine.ts';
import type { LinearLayer } from './objectives/sentence-classifier.ts';

/** Features of rows, and what to predict from them. */
interface ProbeRows {
  /** [rows, width] */
  features: Float32Array;
  width: number;
  /** softmax: class ids [rows]; otherwise [rows, outputs] */
  targets: ArrayLike<number>;
  outputs: number;
  loss: LinearLoss;
  /** Weight of each row's loss. Default: 1. */
  rowWeights?: ArrayLike<number> | undefined;
}

/**
 * Candidates for scikit-learn's C, the inverse of the penalty, on standardized features. Frozen sentence
 * embeddings of some hundred rows are best at 0.003 to 0.03; larger values interpolate the rows.
 */
export const STRENGTHS: readonly number[] = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1];

/**
 * A linear model on standardized features: zero mean and unit variance over the rows, as scikit-learn's StandardScaler.
 * It equals scikit-learn's LogisticRegression and Ridge, with C the strength and alpha its inverse. The engine computes
 * its loss.
 */
export class LinearProbe {
  readonly #engine: Pick<Engine, 'open'>;
  readonly #rows: ProbeRows;
  readonly #count: number;
  readonly #means: Float64Array;
  readonly #deviations: Float64Array;
  readonly #standardized: Float32Array;

  constructor(engine: Pick<Engine, 'open'>, rows: ProbeRows) {
    const { features, width } = rows;
    this.#engine = engine;
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
    this.#standardized = Float32Array.from(
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
  async outOfFold(
    folds: readonly ArrayLike<number>[],
    strengths: readonly number[] = STRENGTHS,
  ): Promise<Float32Array[]> {
    const { outputs, width } = this.#rows;
    const found = strengths.map(() => new Float32Array(this.#count * outputs).fill(Number.NaN));
    await this.#fitting(async (fit) => {
      for (const fold of folds) {
        const held = new Set(Array.from(fold));
        const rows = Int32Array.from({ length: this.#count }, (_, row) => row).filter(
          (row) => !held.has(row),
        );
        const feeds = this.#feeds(rows);
        let weights: LinearWeights | undefined;
        for (const [i, strength] of strengths.entries()) {
          // The solution for a weaker penalty is near that for the one before.
          weights = await fit(feeds, strength, weights);
          for (const row of held) {
            const features = this.#standardized.subarray(row * width, (row + 1) * width);
            found[i]!.set(computeScores(features, this.#complete(weights), outputs), row * outputs);
          }
        }
      }
    });
    return found;
  }

  /** Fits a layer to all rows for each strength. It reads features that are not standardized. */
  async fit(strengths: readonly number[]): Promise<LinearLayer[]> {
    const layers: LinearLayer[] = [];
    await this.#fitting(async (fit) => {
      const feeds = this.#feeds(Int32Array.from({ length: this.#count }, (_, row) => row));
      let weights: LinearWeights | undefined;
      for (const strength of strengths) {
        weights = await fit(feeds, strength, weights);
        layers.push(this.#layer(this.#complete(weights)));
      }
    });
    return layers;
  }

  /** Two classes have one output, as in scikit-learn. */
  get #isBinary(): boolean {
    return this.#rows.loss === 'softmax' && this.#rows.outputs === 2;
  }

  #complete(weights: LinearWeights): LinearWeights {
    return this.#isBinary ? twoOutputs(weights) : weights;
  }

  /** Opens a session for fits. */
  async #fitting(
    use: (
      fit: (feeds: Tensors, strength: number, start?: LinearWeights) => Promise<LinearWeights>,
    ) => Promise<void>,
  ): Promise<void> {
    const { width, loss } = this.#rows;
    const outputs = this.#isBinary ? 1 : this.#rows.outputs;
    const session = await this.#engine.open(fitGraph(width, outputs, this.#isBinary ? 'sigmoid' : loss));
    await releasing(session, () =>
      use((feeds, strength, start = new Float64Array((width + 1) * outputs)) =>
        minimize((weights, gradient) => evaluate(session, feeds, strength, weights, gradient), start),
      ),
    );
  }

  #feeds(rows: Int32Array): Tensors {
    const { width, targets, rowWeights, loss } = this.#rows;
    const perRow = targets.length / this.#count;
    const x = new Float32Array(rows.length * width);
    rows.forEach((row, i) => {
      x.set(this.#standardized.subarray(row * width, (row + 1) * width), i * width);
    });
    const of = Array.from(
      { length: rows.length * perRow },
      (_, at) => targets[rows[Math.floor(at / perRow)]! * perRow + (at % perRow)]!,
    );
    const isClass = loss === 'softmax' && !this.#isBinary;
    return {
      x: { data: x, dims: [rows.length, width] },
      targets: isClass
        ? { data: Int32Array.from(of), dims: [rows.length] }
        : { data: Float32Array.from(of), dims: [rows.length, perRow] },
      row_weights: {
        data: Float32Array.from(rows, (row) => rowWeights?.[row] ?? 1),
        dims: [rows.length, 1],
      },
    };
  }

  #layer(weights: LinearWeights): LinearLayer {
    const { width, outputs } = this.#rows;
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
}

function computeScores(features: Float32Array, weights: LinearWeights, outputs: number): Float64Array {
  const { length: width } = features;
  const scores = weights.slice(width * outputs);
  for (let i = 0, at = 0; i < width; i++)
    for (let k = 0; k < outputs; k++, at++) scores[k]! += features[i]! * weights[at]!;
  return scores;
}

/** The objective per row, so that one tolerance suits files of every length. Writes its gradient into `gradient`. */
async function evaluate(
  session: Session,
  feeds: Tensors,
  strength: number,
  weights: LinearWeights,
  gradient: Float64Array,
): Promise<number> {
  const found = await session.run({
    ...feeds,
    weights: { data: Float32Array.from(weights), dims: [weights.length] },
  });
  const [rows, width] = feeds.x!.dims as [number, number];
  const biases = weights.length - weights.length / (width + 1);
  let squares = 0;
  for (let i = 0; i < weights.length; i++) {
    const penalized = i < biases ? weights[i]! : 0;
    squares += penalized ** 2;
    gradient[i] = (found.gradient!.data[i]! + penalized / strength) / rows;
  }
  return (found.loss!.data[0]! + squares / (2 * strength)) / rows;
}

const ROWS = symbol('rows');

/** The sum of the losses of a linear model, and its gradient. */
function fitGraph(width: number, outputs: number, loss: LinearLoss): Record<string, Value> {
  const graph = new Graph();
  const x = input(graph, 'x', 'float32', [ROWS, width]);
  const rowWeights = input(graph, 'row_weights', 'float32', [ROWS, 1]);
  const flat = input(graph, 'weights', 'float32', [(width + 1) * outputs]);
  const matrix = reshape(slice(flat, 0, 0, width * outputs), [width, outputs]);
  const bias = reshape(slice(flat, 0, width * outputs, (width + 1) * outputs), [1, outputs]);
  const scores = add(matmul(x, matrix), bias);
  const total = sum(multiply(rowLosses(graph, scores, outputs, loss), rowWeights), [0, 1]);
  return { loss: total, gradient: gradients(total, [flat])[0]! };
}

/** The loss of each row, or of each output of a row: [rows, 1] or [rows, outputs]. */
function rowLosses(graph: Graph, scores: Value, outputs: number, loss: LinearLoss): Value {
  if (loss === 'softmax') {
    const targets = reshape(input(graph, 'targets', 'int32', [ROWS]), [ROWS, 1]);
    const isTarget = equal(targets, reshape(iota(graph, outputs), [1, outputs]));
    return subtract(logSumExp(scores), sum(where(isTarget, scores, 0), [1], true));
  }
  const targets = input(graph, 'targets', 'float32', [ROWS, outputs]);
  if (loss === 'squared') {
    const difference = subtract(scores, targets);
    return divide(multiply(difference, difference), 2);
  }
  const magnitude = where(greater(scores, 0), scores, negate(scores));
  return add(subtract(relu(scores), multiply(scores, targets)), log(add(exp(negate(magnitude)), 1)));
}
