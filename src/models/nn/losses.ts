import {
  add,
  concat,
  constant,
  divide,
  equal,
  exp,
  expand,
  greater,
  iota,
  log,
  logSumExp,
  matmul,
  multiply,
  negate,
  relu,
  reshape,
  slice,
  sqrt,
  subtract,
  sum,
  where,
} from '../../engine/graph/build.ts';
import { addDimensions } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import { toUnitLength } from './pool-tokens.ts';

/**
 * The mean negative log-likelihood of int32 labels [rows], from logits [rows, classes]. Rows with an out-of-range label
 * are ignored. With smoothing, the result is 1 - `smoothing` times this, plus `smoothing` times its mean over all
 * classes, as in transformers' `LabelSmoother`.
 *
 * @param weights one per class: the weight of its rows in the mean, as in PyTorch's `CrossEntropyLoss(weight)`; by
 * default 1
 */
export function crossEntropy(
  logits: Value,
  labels: Value,
  smoothing = 0,
  weights?: readonly number[],
): Value {
  const { total, count } = crossEntropySums(logits, labels, smoothing, weights);
  return divide(total, count);
}

/** A sum of losses over rows of logits. */
interface LossSums {
  /** The sum, []. The mean loss is this divided by `count`. */
  total: Value;
  /** The sum of the rows' weights, []. */
  count: Value;
  /** The logarithm of the normalizer of each row, [rows, 1]. */
  normalizers: Value;
}

/** The numerator and the denominator of {@link crossEntropy}. */
export function crossEntropySums(
  logits: Value,
  labels: Value,
  smoothing = 0,
  weights?: readonly number[],
): LossSums {
  const [rows, classes] = logits.shape;
  const { graph } = logits.node;
  const label = reshape(labels, [rows!, 1]);
  const ids = iota(graph, classes!);
  const isHit = equal(label, reshape(ids, [1, classes!]));
  if (weights) {
    const each = expand(reshape(constant(graph, weights, [weights.length]), [1, classes!]), logits.shape);
    const weight = reshape(sum(where(isHit, each, 0), [1]), [rows!, 1]);
    const hits = sum(where(isHit, multiply(logits, each), 0), [0, 1]);
    return smoothedSums(logits, weight, hits, smoothing);
  }
  const hits = sum(where(isHit, logits, 0), [0, 1]);
  const last = slice(ids, 0, addDimensions(classes!, -1), classes!);
  const isClass = where(
    greater(label, last),
    0,
    where(
      greater(label, constant(graph, [-1], [], 'int32')),
      expand(constant(graph, [1], []), [rows!, 1]),
      0,
    ),
  );
  return smoothedSums(logits, isClass, hits, smoothing);
}

/**
 * @param weight of each row, [rows, 1]
 * @param hits the sum over rows of weight · (the label's logit), []
 */
function smoothedSums(logits: Value, weight: Value, hits: Value, smoothing: number): LossSums {
  const normalizers = logSumExp(logits);
  const normalizer = sum(multiply(weight, normalizers), [0, 1]);
  const count = sum(weight, [0, 1]);
  if (smoothing === 0) return { total: subtract(normalizer, hits), count, normalizers };
  const all = sum(multiply(weight, logits), [0, 1]);
  const share = smoothing / (logits.shape[1] as number);
  const expected = add(multiply(hits, 1 - smoothing), multiply(all, share));
  return { total: subtract(normalizer, expected), count, normalizers };
}

/** Mean squared error over all elements of two tensors of the same shape. */
export function squaredErrorLoss(predictions: Value, targets: Value): Value {
  const difference = subtract(predictions, targets);
  return average(multiply(difference, difference));
}

/** Mean binary cross-entropy over all labels. Logits and targets are [rows, labels]. */
export function binaryCrossEntropy(logits: Value, targets: Value): Value {
  return average(binaryEntropies(logits, targets));
}

/** The binary cross-entropy of each logit, computed without overflow. With the target 1 it is -log σ(logit). */
export function binaryEntropies(logits: Value, targets: Value | number): Value {
  // |logits|, with the derivative -1 at 0. Then the loss has the right derivative at 0.
  const magnitude = where(greater(logits, 0), logits, negate(logits));
  const softplus = log(add(exp(negate(magnitude)), 1));
  return add(subtract(relu(logits), multiply(logits, targets)), softplus);
}

export function average(x: Value): Value {
  const axes = x.shape.map((_, axis) => axis);
  const ones = expand(constant(x.node.graph, [1], []), x.shape);
  return divide(sum(x, axes), sum(ones, axes));
}

/* Losses over text vectors, computed as in sentence-transformers. Vectors are rows [pairs, width]. */

/** Triplets of {@link batchTriplets} with a smaller loss are not counted in the mean. */
const MIN_TRIPLET = 1e-16;
/** The score of an excluded pair, as in sentence-transformers. */
export const NEVER = -1e12;

export const DISTANCES = ['euclidean', 'cosine', 'manhattan'] as const;
export type Distance = (typeof DISTANCES)[number];

/** Cosines of corresponding rows, [rows]. */
export function pairwiseCosine(a: Value, b: Value): Value {
  return sum(multiply(toUnitLength(a), toUnitLength(b)), [1]);
}

/**
 * Multiple negatives ranking loss (Henderson et al., 2017): among all candidates of a batch, an anchor's positive
 * should have the largest cosine.
 *
 * @param candidates positives, then further negatives; each group has as many rows as there are anchors
 * @param symmetric whether positives are also ranked against the anchors
 */
export function rankingLoss(
  anchors: Value,
  candidates: readonly Value[],
  { scale, symmetric }: { scale: number; symmetric: boolean },
): Value {
  const [pairs] = anchors.shape;
  const pairIndices = iota(anchors.node.graph, pairs!);
  const [a, c] = [toUnitLength(anchors), toUnitLength(concat(candidates, 0))];
  const forward = crossEntropy(matmul(a, c, { transposeB: true, scale }), pairIndices);
  if (!symmetric) return forward;
  const p = toUnitLength(candidates[0]!);
  const backward = crossEntropy(matmul(p, a, { transposeB: true, scale }), pairIndices);
  return multiply(add(forward, backward), 0.5);
}

/**
 * CoSENT loss (Su, 2022): of two pairs, the pair with the larger label should have the larger cosine. Labels are
 * float32 [pairs].
 */
export function cosentLoss(a: Value, b: Value, labels: Value, scale: number): Value {
  const cosines = multiply(pairwiseCosine(a, b), scale);
  const [pairs] = cosines.shape;
  const { graph } = cosines.node;
  const column = (x: Value) => reshape(x, [pairs!, 1]);
  const row = (x: Value) => reshape(x, [1, pairs!]);
  const isLess = greater(row(labels), column(labels));
  const scores = where(isLess, subtract(column(cosines), row(cosines)), NEVER);
  const byPair = reshape(logSumExp(scores), [1, pairs!]);
  return reshape(logSumExp(concat([constant(graph, [0], [1, 1]), byPair], 1)), []);
}

/** The squared error of cosines against the labels. */
export function cosineLoss(a: Value, b: Value, labels: Value): Value {
  return squaredErrorLoss(pairwiseCosine(a, b), labels);
}

/** Triplet loss: the negative should be farther away than the positive by a margin. */
export function tripletLoss(
  anchor: Value,
  positive: Value,
  negative: Value,
  { margin, distance }: { margin: number; distance: Distance },
): Value {
  const between = DISTANCE[distance];
  return average(relu(add(subtract(between(anchor, positive), between(anchor, negative)), margin)));
}

const DISTANCE: Readonly<Record<Distance, (a: Value, b: Value) => Value>> = {
  euclidean: (a, b) => {
    const difference = subtract(a, b);
    return root(sum(multiply(difference, difference), [1]));
  },
  cosine: (a, b) => subtract(1, pairwiseCosine(a, b)),
  manhattan: (a, b) => {
    const difference = subtract(a, b);
    return sum(add(relu(difference), relu(subtract(0, difference))), [1]);
  },
};

/**
 * The triplet loss of all triplets in a batch of labeled texts, averaged over triplets that violate the margin
 * (`BatchAllTripletLoss`). Distances are Euclidean. Labels are int32 [texts].
 */
export function batchTriplets(vectors: Value, labels: Value, margin: number): Value {
  const [texts] = vectors.shape;
  const { graph } = vectors.node;
  const distances = allDistances(vectors);
  const number = iota(graph, texts!);
  const at = (x: Value, axis: number) =>
    reshape(
      x,
      [0, 1, 2].map((i) => (i === axis ? texts! : 1)),
    );
  const isSame = (x: Value, i: number, j: number) => equal(at(x, i), at(x, j));
  const positive = reshape(distances, [texts!, texts!, 1]);
  const negative = reshape(distances, [texts!, 1, texts!]);
  const losses = relu(add(subtract(positive, negative), margin));
  // The positive has the anchor's label and the negative has another label, so the three texts differ.
  const ofOther = where(isSame(labels, 0, 2), 0, losses);
  const ofSame = where(isSame(labels, 0, 1), ofOther, 0);
  const valid = where(isSame(number, 0, 1), 0, ofSame);
  const ones = expand(constant(graph, [1], []), valid.shape);
  const count = sum(where(greater(valid, MIN_TRIPLET), ones, 0), [0, 1, 2]);
  return divide(sum(valid, [0, 1, 2]), add(count, MIN_TRIPLET));
}

/**
 * Supervised contrastive loss (Khosla et al., NeurIPS 2020, equation 2): among all other texts of a batch, those with the
 * label of a text should have the largest cosines. A text without such a partner does not count.
 *
 * @param alike [texts, texts], above 0 for texts with a label in common
 */
export function contrastiveLoss(vectors: Value, alike: Value, temperature: number): Value {
  const [texts] = vectors.shape;
  const { graph } = vectors.node;
  const units = toUnitLength(vectors);
  const number = iota(graph, texts!);
  const isSelf = equal(reshape(number, [texts!, 1]), reshape(number, [1, texts!]));
  const scores = where(isSelf, NEVER, matmul(units, units, { transposeB: true, scale: 1 / temperature }));
  const ones = expand(constant(graph, [1], []), scores.shape);
  const partners = where(isSelf, 0, where(greater(alike, 0), ones, 0));
  const count = sum(partners, [1]);
  const shares = where(greater(partners, 0), subtract(scores, logSumExp(scores)), 0);
  const each = divide(sum(shares, [1]), where(greater(count, 0), count, 1));
  const counted = sum(where(greater(count, 0), expand(constant(graph, [1], []), count.shape), 0), [0]);
  return divide(sum(each, [0]), multiply(where(greater(counted, 0), counted, 1), -1));
}

/**
 * Euclidean distances between all rows, [rows, rows], computed from their dot products. The squares of lengths are the
 * diagonal of the same product, so that they are rounded alike and equal rows have distance 0.
 */
function allDistances(x: Value): Value {
  const [rows] = x.shape;
  const products = matmul(x, x, { transposeB: true });
  const numbers = iota(x.node.graph, rows!);
  const isSelf = equal(reshape(numbers, [rows!, 1]), reshape(numbers, [1, rows!]));
  const squares = sum(where(isSelf, products, 0), [1]);
  const sums = add(reshape(squares, [rows!, 1]), reshape(squares, [1, rows!]));
  return root(relu(subtract(sums, multiply(products, 2))));
}

/** Distances from their squares. At 0, where the square root has no derivative, the gradient is 0, as in PyTorch. */
function root(squared: Value): Value {
  const isApart = greater(squared, 0);
  return where(isApart, sqrt(where(isApart, squared, 1)), 0);
}
