/**
 * What most programs need, in Node. The layers have entry points of their own: adalora/graph, adalora/tuners, …
 *
 * @module adalora
 */

export type { Generated } from './generation/generated.ts';
export type { GenerateTextOptions, GenerationInput, Generator, Prompt } from './generation/generator.ts';
export { type GeneratorOptions, openGenerator } from './generation/node/open-generator.ts';
export { UserError } from './support/user-error.ts';
export type { FinishEvent, TrainEvent } from './train/events.ts';
export { evaluateTrained } from './train/node/evaluate-trained.ts';
export { type MergeOptions, mergeAdapter } from './train/node/merge-adapter.ts';
export { openTrained, type TrainedModel } from './train/node/open-trained.ts';
export { plan } from './train/node/plan.ts';
export { openPredictor, type Predictor, type PredictorOptions } from './train/node/predictor.ts';
export { type TrainOptions, train } from './train/node/train.ts';
export type { Plan } from './train/plan.ts';
export { parseRunConfig, type RunConfig, type RunConfigInput } from './train/run-config.ts';
