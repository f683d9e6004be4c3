/**
 * Tasks, and the parts of your own: models with a loss, sets of examples, and scores.
 *
 * @module tasks
 */

export type { CommonConfig, Head, ModelDefinition, ModelInputs } from '../models/model-definition.ts';
export type { Confusion, Evaluation, ExampleBatch, ExampleSet, Scores } from '../program/example-set.ts';
export type { TextGenerator } from '../program/generation/text-generator.ts';
export { IGNORED_LABEL, labeledRows } from '../program/objectives/labeled-rows.ts';
export {
  type MaskingSettings,
  type MaskingVocabulary,
  maskTokens,
} from '../program/objectives/mask-tokens.ts';
export { modelFeeds, modelInputs } from '../program/objectives/model-inputs.ts';
export { type LabeledBatch, packedBatch } from '../program/objectives/packed-batch.ts';
export {
  classLoss,
  labelSetLoss,
  scoreLoss,
  sequenceModel,
  shiftRight,
} from '../program/objectives/sequence-loss.ts';
export { spanLoss, spanModel } from '../program/objectives/span-model.ts';
export { type TaskModel, taskModel } from '../program/objectives/task-model.ts';
export { tokenModel } from '../program/objectives/token-model.ts';
export { predictAll } from '../program/predict-batches.ts';
export { bleu } from '../scores/metrics/bleu.ts';
export {
  accuracy,
  argmaxRows,
  binaryF1,
  type ClassCounts,
  classCounts,
  macroF1,
  matthewsCorrelation,
  microF1,
  positiveLogits,
} from '../scores/metrics/classes.ts';
export type { OwnMetric, OwnMetrics } from '../scores/metrics/own-metrics.ts';
export {
  meanAbsoluteError,
  meanSquaredError,
  pearson,
  r2Score,
  spearmanr,
} from '../scores/metrics/regression-scores.ts';
export { type RougeScore, type RougeType, rouge, rougeOfText } from '../scores/metrics/rouge.ts';
export { SCORES, type ScoreDefinition, type ScoreName, scoreDefinition } from '../scores/metrics/scores.ts';
export {
  type AnsweredQuestion,
  type SquadScores,
  squadScores,
} from '../scores/metrics/squad/squad-scores.ts';
export { type NullOdds, type SquadV2Scores, squadV2Scores } from '../scores/metrics/squad/squad-v2-scores.ts';
export { type DefinedTasks, defineTask } from './define-task.ts';
export type { LabelKind } from './labeled/label-kind.ts';
export { labeledTask as labeledTexts } from './labeled/labeled-task.ts';
export type {
  BaseData,
  EncodingContext,
  Prediction,
  PredictionInput,
  PredictionOutput,
  ReadingOf,
} from './prediction.ts';
export {
  TASK_NAMES,
  TASKS,
  type TaskName,
  taskNamed,
} from './registry.ts';
export { scoreKind } from './regression/definition.ts';
export type {
  TaskBaselines,
  TaskClasses,
  TaskDefinition,
  TaskFiles,
  TaskLength,
  TaskPreparation,
  TaskScores,
  TaskTraining,
} from './task-definition.ts';
export type { TaskTexts } from './task-words.ts';
