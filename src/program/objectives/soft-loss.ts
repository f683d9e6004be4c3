import {
  add,
  constant,
  divide,
  expand,
  greater,
  input,
  log,
  logSumExp,
  multiply,
  slice,
  subtract,
  sum,
  where,
} from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';
import { average } from '../../models/nn/losses.ts';
import { LABELS } from './sequence-loss.ts';
import type { LossOptions } from './task-model.ts';

/** How a teacher's probabilities are learned. */
export interface Distillation {
  /** The teacher's and the student's logits are divided by it. */
  temperature: number;
  /** The teacher's share in the loss of labeled rows. Rows without a label have the teacher's part alone, whole. */
  share: number;
}

/**
 * The loss of Hinton et al. (2015), a mean over rows: (1 - a) times the cross-entropy of the label, plus a T² times the
 * Kullback-Leibler divergence of the student at temperature T from the teacher.
 *
 * Declares the input `labels`, float32 [batch, 2 · classes]: 1 for a row's own class, and the teacher's probabilities at the
 * temperature. A row without a label has no 1.
 */
export function softClassLoss(
  logits: Value,
  { temperature, share }: Distillation,
  { labelSmoothing = 0 }: LossOptions = {},
): Value {
  const [batch] = logits.shape;
  const classes = logits.shape[1] as number;
  const { graph } = logits.node;
  const both = input(graph, LABELS, 'float32', [batch!, 2 * classes]);
  const own = slice(both, 1, 0, classes);
  const soft = slice(both, 1, classes, 2 * classes);
  const isLabelled = sum(own, [1], true);
  const smoothed = add(
    multiply(own, 1 - labelSmoothing),
    multiply(expand(isLabelled, own.shape), labelSmoothing / classes),
  );
  const entropy = subtract(
    multiply(isLabelled, logSumExp(logits)),
    sum(multiply(logits, smoothed), [1], true),
  );
  const cooled = divide(logits, temperature);
  // A probability of 0 adds nothing.
  const known = where(greater(soft, 0), soft, expand(constant(graph, [1], []), soft.shape));
  const divergence = add(
    sum(multiply(soft, subtract(log(known), cooled)), [1], true),
    multiply(logSumExp(cooled), sum(soft, [1], true)),
  );
  const shares = add(multiply(isLabelled, share - 1), 1);
  return average(add(multiply(entropy, 1 - share), multiply(multiply(divergence, shares), temperature ** 2)));
}
