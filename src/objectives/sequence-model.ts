import type { TaskType } from '../data/task-type.ts';
import type { CommonConfig, ModelDefinition } from '../models/model-definition.ts';
import { sequenceLoss } from './sequence-loss.ts';
import { type TaskModel, taskModel } from './task-model.ts';

/** A sequence classifier or regressor. */
export interface SequenceModel extends TaskModel {
  task: TaskType;
}

/** A model family with a config as a classifier or regressor. */
export function sequenceModel(
  definition: ModelDefinition,
  config: CommonConfig,
  task: TaskType,
): SequenceModel {
  return { ...taskModel(definition, config, 'SEQ_CLS', (logits) => sequenceLoss(logits(), task)), task };
}
