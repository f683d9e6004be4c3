import {
  add,
  cast,
  constant,
  divide,
  equal,
  exp,
  expand,
  greater,
  log,
  max,
  multiply,
  negate,
  relu,
  reshape,
  slice,
  subtract,
  sum,
  where,
} from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';

/**
 * Mean negative log-likelihood of int32 labels [rows] under logits [rows, classes]; rows whose label is no class are
 * ignored.
 *
 * @param most the most classes there can be, where their number is a symbol
 */
export function crossEntropy(logits: Value, labels: Value, most = logits.shape[1] as number): Value {
  const [rows, classes] = logits.shape;
  const ids = Array.from({ length: most }, (_, i) => i);
  const everyId = slice(constant(logits.node.graph, ids, [1, most], 'int32'), 1, 0, classes);
  const hit = equal(reshape(labels, [rows, 1]), everyId);
  const oneHot = cast(hit, 'float32');
  const counted = sum(oneHot, [0, 1]);
  return negate(divide(sum(multiply(oneHot, logSoftmax(logits)), [0, 1]), counted));
}

/** Mean squared error; both [rows]. */
export function meanSquaredError(predictions: Value, targets: Value): Value {
  const difference = subtract(predictions, targets);
  return average(multiply(difference, difference));
}

/** Mean binary cross-entropy over all labels; logits and targets [rows, labels], in the form that cannot overflow. */
export function binaryCrossEntropy(logits: Value, targets: Value): Value {
  // Of derivative -1 at 0, not 0, so that the loss has its own there.
  const magnitude = where(greater(logits, 0), logits, negate(logits));
  const softplus = log(add(exp(negate(magnitude)), 1));
  return average(add(subtract(relu(logits), multiply(logits, targets)), softplus));
}

function logSoftmax(x: Value): Value {
  const last = [x.shape.length - 1];
  const shifted = subtract(x, max(x, last, true));
  return subtract(shifted, log(sum(exp(shifted), last, true)));
}

function average(x: Value): Value {
  const axes = x.shape.map((_, axis) => axis);
  const ones = expand(constant(x.node.graph, [1], []), x.shape);
  return divide(sum(x, axes), sum(ones, axes));
}
