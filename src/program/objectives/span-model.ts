import {
  add,
  concat,
  constant,
  greater,
  input,
  multiply,
  reshape,
  slice,
  where,
} from '../../engine/graph/build.ts';
import { multiplyDimensions } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import { crossEntropy } from '../../models/nn/losses.ts';
import { ownLoss } from './own-loss.ts';
import { type LossOptions, type TaskModel, taskModel } from './task-model.ts';

/**
 * The mean loss of a batch as in transformers' question answering heads: the average of two cross-entropies, for the
 * starts and the ends of answers. Both are over all positions, padding included. A position beyond the sequence is
 * ignored. A negative position (also -100) counts as 0. Declares the inputs `start_positions` and `end_positions`,
 * int32 [batch]. A custom loss gets a row of logits for each start, then one for each end.
 *
 * @param logits [2, batch, sequence], starts before ends
 */
export function spanLoss(logits: Value, { customLoss }: LossOptions = {}): Value {
  const [, batch, sequence] = logits.shape;
  const { graph } = logits.node;
  const zero = constant(graph, [0], [], 'int32');
  const [starts, ends] = ['start_positions', 'end_positions'].map((name) => {
    const positions = input(graph, name, 'int32', [batch!]);
    return where(greater(positions, zero), positions, zero);
  }) as [Value, Value];
  if (customLoss) {
    const rows = reshape(logits, [multiplyDimensions(2, batch!), sequence!]);
    return ownLoss(customLoss, rows, concat([starts, ends], 0));
  }
  const [start, end] = [starts, ends].map((positions, i) =>
    crossEntropy(reshape(slice(logits, 0, i, i + 1), [batch!, sequence!]), positions),
  ) as [Value, Value];
  return multiply(add(start, end), 0.5);
}

/** A model that extracts answers: logits [2, batch, sequence]. */
export function spanModel(definition: ModelDefinition, config: CommonConfig): TaskModel {
  return taskModel(definition, config, 'QUESTION_ANS', (logits, _, options) => spanLoss(logits(), options));
}
