import * as build from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import { average, binaryCrossEntropy, crossEntropy, meanSquaredError } from '../nn/losses.ts';
import { shown } from '../support/problem.ts';
import { UserError } from '../support/user-error.ts';

/** The functions that build a loss: the graph's operations, and the losses that exist. */
export const LOSS_OPS = { ...build, average, binaryCrossEntropy, crossEntropy, meanSquaredError };
export type LossOps = typeof LOSS_OPS;

/**
 * Builds a program's loss, the mean over a batch, as a graph.
 *
 * @param logits [batch, outputs]
 * @param labels the class ids, int32 [batch]; or 1 for each label that applies, float32 [batch, outputs]; or the
 * numbers to predict, float32 [batch]
 * @returns the loss, float32 []
 */
export type LossFunction = (logits: Value, labels: Value, ops: LossOps) => Value;

/** @throws UserError if the function returns anything but a number as a graph */
export function ownLoss(build: LossFunction, logits: Value, labels: Value): Value {
  const loss: unknown = build(logits, labels, LOSS_OPS);
  const { shape, dtype } = Object(loss) as Partial<Value>;
  if (Array.isArray(shape) && shape.length === 0 && dtype === 'float32') return loss as Value;
  const got = Array.isArray(shape) ? `${dtype} of shape [${shape.join(', ')}]` : shown(loss);
  throw new UserError({
    key: 'training.compute_loss_func',
    fault: `must return one number, float32 of shape [], got ${got}`,
    hint: 'average(x) is the mean of all elements.',
  });
}
