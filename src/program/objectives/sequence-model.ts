import type { Value } from '../../engine/graph/graph.ts';
import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import { type LossOptions, type TaskModel, taskModel } from './task-model.ts';

/**
 * A model with one row of logits per text: [batch, labels].
 *
 * @param loss builds the mean loss of a batch from the logits, and declares the input for its targets
 */
export function sequenceModel(
  definition: ModelDefinition,
  config: CommonConfig,
  loss: (logits: Value, options?: LossOptions) => Value,
): TaskModel {
  return taskModel(definition, config, 'SEQ_CLS', (logits, _, options) => loss(logits(), options));
}
