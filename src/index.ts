/**
 * The main entry point, for Node. Layers for researchers have their own: adalora/nn, tuners, tasks and train.
 *
 * @module adalora
 */

export type { RowSource, Rows } from './data/rows.ts';
export type { Generated } from './generation/generated.ts';
export type { GenerateTextOptions, GenerationInput, Prompt } from './generation/prompt.ts';
export { type ConfigOf, defineConfig } from './jobs/define-config.ts';
export { openTrained as open } from './jobs/node/open-trained.ts';
export { plan } from './jobs/node/plan.ts';
export { type TrainOptions, train } from './jobs/node/train.ts';
export type { Plan } from './jobs/plan/plan.ts';
export type { ConfigWithRows } from './jobs/rows-in-memory.ts';
export type { OwnMetric, OwnMetrics } from './metrics/own-metrics.ts';
export type { LossFunction, LossOps } from './objectives/own-loss.ts';
export { nodeEngine } from './program/node/node-engine.ts';
export { parseRunConfig } from './run/config/parse-run-config.ts';
export type { RunConfig, RunConfigInput } from './run/config/run-config.ts';
export type { EventOf, FinishEvent, TrainEvent } from './run/events.ts';
export type { Module } from './support/definitions.ts';
export { UserError } from './support/user-error.ts';
export type { TextInput } from './tasks/labelled-texts/texts-shape.ts';
export type { LabelSetAnswer } from './tasks/multi-label-classification/definition.ts';
export type { EmbedOptions } from './tasks/prediction.ts';
export type { AnswerOf, InputOf, PredictionTypes } from './tasks/prediction-types.ts';
export { type DefinedTasks, defineTask } from './tasks/registry.ts';
export type { ScoreAnswer } from './tasks/regression/definition.ts';
export type { ClassAnswer } from './tasks/single-label-classification/definition.ts';
export type { Words } from './tasks/token-classification/definition.ts';
export type { TaggedWords } from './tasks/token-classification/tagged-words.ts';
export type { OnStepEnd, StepControl, StepState } from './train/step-control.ts';
export type { ExportGgufOptions } from './trained/gguf-adapter.ts';
export type { EvaluateParams, PredictOptions } from './trained/model-options.ts';
export { openModel } from './trained/node/load-model.ts';
export type { MergeOptions } from './trained/node/merge.ts';
export type { ExportOptions } from './trained/node/open.ts';
export type { ModelInThread as OpenedModel } from './trained/node/thread/model-in-thread.ts';
export type { FinishedRun, ThreadOptions as OpenOptions } from './trained/node/thread/open-in-thread.ts';
export type { ExportOnnxOptions } from './trained/onnx-folder.ts';
export type { Predictions } from './trained/predictions.ts';
export type { ExportLoraOptions } from './tuners/adapter-kind.ts';
export type { Importance, ScoreFunction } from './tuners/allocation/allocator.ts';
export type { BudgetFunction } from './tuners/allocation/budget.ts';
export { type DefinedMethods, defineMethod } from './tuners/registry.ts';
