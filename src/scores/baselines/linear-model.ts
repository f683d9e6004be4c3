/** A function to minimize: returns its value at `x` and writes its gradient into `gradient`. */
type MinimizedFunction = (x: Float64Array, gradient: Float64Array) => number | Promise<number>;

/** Number of stored pairs of step and gradient change; L-BFGS estimates the curvature from them. */
const MEMORY = 8;
/** A step is accepted if the function decreases by at least this share of the predicted decrease (Armijo). */
const SUFFICIENT = 1e-4;
const MAX_HALVINGS = 30;

/**
 * Minimizes a smooth convex function by L-BFGS (Liu and Nocedal 1989; Nocedal and Wright, algorithm 7.4) with a
 * backtracking line search.
 *
 * @param tolerance the search stops when no element of the gradient is larger
 */
export async function minimize(
  objective: MinimizedFunction,
  start: Float64Array,
  { tolerance = 1e-4, mostIterations = 100 } = {},
): Promise<Float64Array> {
  const size = start.length;
  let [x, gradient] = [start, new Float64Array(size)];
  let value = await objective(x, gradient);
  const pairs: { step: Float64Array; change: Float64Array; product: number }[] = [];
  for (let iteration = 0; iteration < mostIterations; iteration++) {
    if (gradient.every((element) => Math.abs(element) <= tolerance)) break;
    const direction = descent(gradient, pairs);
    const slope = dot(direction, gradient);
    let length = pairs.length === 0 ? 1 / Math.max(1, Math.sqrt(dot(gradient, gradient))) : 1;
    let next = x;
    const nextGradient = new Float64Array(size);
    let nextValue = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < MAX_HALVINGS; halving++, length /= 2) {
      next = x.map((element, i) => element + length * direction[i]!);
      nextValue = await objective(next, nextGradient);
      if (nextValue <= value + SUFFICIENT * length * slope) break;
    }
    if (!(nextValue < value)) break;
    const step = next.map((element, i) => element - x[i]!);
    const change = nextGradient.map((element, i) => element - gradient[i]!);
    const product = dot(step, change);
    if (product > 0) pairs.push({ step, change, product });
    if (pairs.length > MEMORY) pairs.shift();
    [x, gradient, value] = [next, nextGradient, nextValue];
  }
  return x;
}

/**
 * The two-loop recursion of L-BFGS. Returns the descent direction -H g, where g is the gradient, and H
 * estimates the inverse Hessian.
 */
function descent(
  gradient: Float64Array,
  pairs: readonly { step: Float64Array; change: Float64Array; product: number }[],
): Float64Array {
  const direction = gradient.map((element) => -element);
  const add = (factor: number, vector: Float64Array) => {
    for (let i = 0; i < direction.length; i++) direction[i]! += factor * vector[i]!;
  };
  const shares = pairs.map(() => 0);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, product } = pairs[i]!;
    shares[i] = dot(step, direction) / product;
    add(-shares[i]!, change);
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = last.product / dot(last.change, last.change);
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  for (const [i, { step, change, product }] of pairs.entries())
    add(shares[i]! - dot(change, direction) / product, step);
  return direction;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/**
 * The loss of a linear model: cross-entropy of one class per row (`softmax`), cross-entropy of each output
 * separately (`sigmoid`), or half the squared error (`squared`).
 */
export type LinearLoss = 'softmax' | 'sigmoid' | 'squared';

/** Weights [features, outputs], then a bias for each output, row-major. */
export type LinearWeights = Float64Array;

/** Rows of a sparse matrix: row `i` has `columns` and `values` from `starts[i]` to `starts[i + 1]`. */
export interface SparseRows {
  starts: Int32Array;
  columns: Int32Array;
  values: Float64Array;
}

/**
 * Fits weights to rows. The objective is the sum of the losses plus half the squared norm of the weights
 * without biases. This equals scikit-learn's LogisticRegression and Ridge with their defaults (C and alpha
 * 1). As there, two classes have one output; the other one is 0.
 *
 * @param width features per row
 * @param targets softmax: class ids [rows]; otherwise [rows, outputs]
 */
export async function fitLinear(
  x: SparseRows,
  width: number,
  targets: ArrayLike<number>,
  outputs: number,
  loss: LinearLoss,
): Promise<LinearWeights> {
  if (loss === 'softmax' && outputs === 2)
    return twoOutputs(await fitLinear(x, width, targets, 1, 'sigmoid'));
  const rows = x.starts.length - 1;
  const biases = width * outputs;
  return minimize(
    (weights, gradient) => {
      const scores = linearScores(x, weights, outputs);
      const total = computeLoss(scores, targets, outputs, loss);
      gradient.set(weights);
      gradient.fill(0, biases);
      let squares = 0;
      for (let i = 0; i < biases; i++) squares += weights[i]! * weights[i]!;
      for (let row = 0; row < rows; row++) {
        for (let at = x.starts[row]!; at < x.starts[row + 1]!; at++) {
          for (let k = 0; k < outputs; k++)
            gradient[x.columns[at]! * outputs + k]! += x.values[at]! * scores[row * outputs + k]!;
        }
        for (let k = 0; k < outputs; k++) gradient[biases + k]! += scores[row * outputs + k]!;
      }
      // Divided by the number of rows, so that one tolerance suits files of every length.
      for (let i = 0; i < gradient.length; i++) gradient[i]! /= rows;
      return (total + squares / 2) / rows;
    },
    new Float64Array(biases + outputs),
  );
}

/** Weights for two outputs from those for one. The first output is 0. */
export function twoOutputs(weights: LinearWeights): LinearWeights {
  return Float64Array.from({ length: 2 * weights.length }, (_, i) => (i % 2 === 1 ? weights[i >> 1]! : 0));
}

/** Outputs of a linear model, [rows, outputs]. */
export function linearScores(x: SparseRows, weights: LinearWeights, outputs: number): Float64Array {
  const rows = x.starts.length - 1;
  const biases = weights.length - outputs;
  const scores = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < outputs; k++) scores[row * outputs + k] = weights[biases + k]!;
    for (let at = x.starts[row]!; at < x.starts[row + 1]!; at++) {
      for (let k = 0; k < outputs; k++)
        scores[row * outputs + k]! += x.values[at]! * weights[x.columns[at]! * outputs + k]!;
    }
  }
  return scores;
}

/** Returns the sum of the losses, and overwrites the scores with their derivative. */
function computeLoss(
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

/** Maximum number of files to fit, so that a fit takes a few seconds. If there are more, evenly spaced ones are used. */
const MAX_FITTED = 2000;

/** The small versions of training files, all of one size. */
interface LearnedFiles {
  files: readonly Uint8Array[];
  /** As in `fitLinear`. */
  targets: ArrayLike<number>;
  /** Numbers predicted per file. */
  outputs: number;
  loss: LinearLoss;
}

/**
 * Fits a linear model of the bytes of small versions, and applies it to other files.
 *
 * @returns [files, outputs] for `others`
 */
export async function linearBytes(
  { files, targets, outputs, loss }: LearnedFiles,
  others: readonly Uint8Array[],
): Promise<Float64Array> {
  const count = Math.min(files.length, MAX_FITTED);
  const used = Array.from({ length: count }, (_, i) => Math.floor((i * files.length) / count));
  const width = targets.length / files.length;
  const wanted = used.flatMap((i) => Array.from({ length: width }, (_, k) => targets[i * width + k]!));
  const learnt = encodeFiles(used.map((i) => files[i]!));
  const features = files[0]!.length;
  const weights = await fitLinear(learnt, features, wanted, outputs, loss);
  return linearScores(encodeFiles(others), weights, outputs);
}

function encodeFiles(files: readonly Uint8Array[]): SparseRows {
  const width = files[0]?.length ?? 0;
  return {
    starts: Int32Array.from({ length: files.length + 1 }, (_, i) => i * width),
    columns: Int32Array.from({ length: files.length * width }, (_, i) => i % width),
    values: Float64Array.from(files.flatMap((file) => Array.from(file, (byte) => byte / 255 - 0.5))),
  };
}
