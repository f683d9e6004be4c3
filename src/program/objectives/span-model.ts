import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import { spanLoss } from './span-loss.ts';
import { type TaskModel, taskModel } from './task-model.ts';

/** A model that extracts answers: logits [2, batch, sequence]. */
export function spanModel(definition: ModelDefinition, config: CommonConfig): TaskModel {
  return taskModel(definition, config, 'QUESTION_ANS', (logits, _, options) => spanLoss(logits(), options));
}
