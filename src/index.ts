/** What most programs need, in Node. The layers have entry points of their own: adalora/graph, adalora/tuners, … */

export { UserError } from './support/user-error.ts';
export type { FinishEvent, TrainEvent } from './train/events.ts';
export { type MergeOptions, mergeAdapter } from './train/node/merge-adapter.ts';
export { plan } from './train/node/plan.ts';
export { openPredictor, type Predictor, type PredictorOptions } from './train/node/predictor.ts';
export { type TrainOptions, train } from './train/node/train.ts';
export type { Plan } from './train/plan.ts';
export { parseRunConfig, type RunConfig, type RunConfigInput } from './train/run-config.ts';
