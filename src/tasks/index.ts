/**
 * Tasks, and the parts of your own: models with a loss, sets of examples, and scores.
 *
 * @module tasks
 */

export type { CommonConfig, Head, ModelDefinition, ModelInputs } from '../models/model-definition.ts';
export type { Confusion, Evaluation, ExampleBatch, ExampleSet, Scores } from '../program/example-set.ts';
export type { TextGenerator } from '../program/generation/text-generator.ts';
export * from '../program/objectives/index.ts';
export { predictAll } from '../program/predict-batches.ts';
export * from '../scores/metrics/index.ts';
export { type DefinedTasks, defineTask } from './define-task.ts';
export { type LabelKind, labelledTexts } from './labelled-texts/labelled-texts.ts';
export type { Prediction, PredictionInput, PredictionOutput } from './prediction.ts';
export {
  TASK_NAMES,
  TASKS,
  type TaskName,
  taskNamed,
} from './registry.ts';
export { scoreKind } from './regression/definition.ts';
export type {
  BaseData,
  EncodingContext,
  ReadingOf,
  TaskBaselines,
  TaskClasses,
  TaskDefinition,
  TaskFiles,
  TaskLength,
  TaskScores,
  TaskTraining,
} from './task-definition.ts';
export type { TaskTexts } from './task-words.ts';
