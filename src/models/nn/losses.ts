import {
  add,
  constant,
  divide,
  equal,
  exp,
  expand,
  greater,
  iota,
  log,
  logSumExp,
  multiply,
  negate,
  relu,
  reshape,
  slice,
  subtract,
  sum,
  where,
} from '../../engine/graph/build.ts';
import { addDimensions } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';

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
export interface LossSums {
  /** The sum, []. The mean loss is this divided by `count`. */
  total: Value;
  /** The sum of the rows' weights, []. */
  count: Value;
  /** The logarithm of the normalizer of each row, [rows, 1]. */
  normalisers: Value;
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
  const normalisers = logSumExp(logits);
  const normaliser = sum(multiply(weight, normalisers), [0, 1]);
  const count = sum(weight, [0, 1]);
  if (smoothing === 0) return { total: subtract(normaliser, hits), count, normalisers };
  const all = sum(multiply(weight, logits), [0, 1]);
  const share = smoothing / (logits.shape[1] as number);
  const expected = add(multiply(hits, 1 - smoothing), multiply(all, share));
  return { total: subtract(normaliser, expected), count, normalisers };
}

/** Mean squared error over all elements of two tensors of the same shape. */
export function meanSquaredError(predictions: Value, targets: Value): Value {
  const difference = subtract(predictions, targets);
  return average(multiply(difference, difference));
}

/** Mean binary cross-entropy over all labels, computed without overflow. Logits and targets are [rows, labels]. */
export function binaryCrossEntropy(logits: Value, targets: Value): Value {
  // |logits|, with the derivative -1 at 0. Then the loss has the right derivative at 0.
  const magnitude = where(greater(logits, 0), logits, negate(logits));
  const softplus = log(add(exp(negate(magnitude)), 1));
  return average(add(subtract(relu(logits), multiply(logits, targets)), softplus));
}

export function average(x: Value): Value {
  const axes = x.shape.map((_, axis) => axis);
  const ones = expand(constant(x.node.graph, [1], []), x.shape);
  return divide(sum(x, axes), sum(ones, axes));
}
