/**
 * The main entry point, for Node. Layers for researchers have their own: adalora/nn, tuners, tasks and train.
 *
 * @module adalora
 */

export type { RowSource, Rows } from './input/data/rows.ts';
export { type DefinedMethods, defineMethod } from './methods/tuners/method-definition.ts';
export type { Generated, GenerateTextOptions, GenerationInput, Prompt } from './program/generation/prompt.ts';
export { nodeEngine } from './program/node/node-engine.ts';
export type { LossFunction, LossOps } from './program/objectives/own-loss.ts';
export type { OwnMetric, OwnMetrics } from './scores/metrics/own-metrics.ts';
export {
  type ConfigOf,
  defineConfig,
  openModel,
  openTrained as open,
  plan,
  train,
} from './studies/jobs/node/main-entry.ts';
export type { TrainOptions } from './studies/jobs/node/train.ts';
export type { Plan } from './studies/jobs/plan/plan.ts';
export type { Module } from './support/definitions.ts';
export { UserError } from './support/user-error.ts';
export { type DefinedTasks, defineTask } from './tasks/define-task.ts';
export type { TextInput } from './tasks/labeled/read-inputs.ts';
export type { LabelSetAnswer } from './tasks/multi-label-classification/definition.ts';
export type { EmbedOptions } from './tasks/prediction.ts';
export type { AnswerOf, InputOf, PredictionTypes } from './tasks/prediction-types.ts';
export type { ScoreAnswer } from './tasks/regression/definition.ts';
export type { ClassAnswer } from './tasks/single-label-classification/definition.ts';
export type { Words } from './tasks/token-classification/definition.ts';
export type { TaggedWords } from './tasks/token-classification/read-words.ts';
export type { RunConfig, RunConfigInput } from './training/run/config/run-config.ts';
export type { EventOf, FinishEvent, TrainEvent } from './training/run/events.ts';
export type { OnStepEnd, StepControl, StepState } from './training/train/step-control.ts';
export type { ExportGgufOptions } from './use/trained/gguf-adapter.ts';
export type { MergeOptions } from './use/trained/merged-form.ts';
export type { EvaluateParams, PredictOptions } from './use/trained/model-options.ts';
export type { ExportOnnxOptions } from './use/trained/onnx-folder.ts';
export type { ExportOptions } from './use/trained/opened-model.ts';
export type { Predictions } from './use/trained/predictions.ts';
export type { ModelInThread as OpenedModel } from './use/trained/thread/model-in-thread.ts';
export type { FinishedRun, ThreadOptions as OpenOptions } from './use/trained/thread/open-in-thread.ts';
