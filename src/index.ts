/** What most programs need, in Node. The layers have entry points of their own: adalora/graph, adalora/tuners, … */

export type { Generated } from './generation/generated.ts';
export type { GenerateTextOptions, GenerationInput, Generator, Prompt } from './generation/generator.ts';
export { type GeneratorOptions, openGenerator } from './trained/node/open-generator.ts';
export { UserError } from './support/user-error.ts';
export type { FinishEvent, TrainEvent } from './run/events.ts';
export { evaluateTrained } from './trained/node/evaluate-trained.ts';
export { type MergeOptions, mergeAdapter } from './trained/node/merge-adapter.ts';
export { openTrained, type TrainedModel } from './trained/node/open-trained.ts';
export { plan } from './jobs/node/plan.ts';
export { openPredictor, type Predictor, type PredictorOptions } from './trained/node/predictor.ts';
export { type TrainOptions, train } from './jobs/node/train.ts';
export type { Plan } from './jobs/plan/plan.ts';
export { parseRunConfig, type RunConfig, type RunConfigInput } from './run/config/run-config.ts';
