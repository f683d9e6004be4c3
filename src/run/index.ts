export { continuedConfig } from './config/continued-config.ts';
export { methodOf } from './config/method-of.ts';
export { parseRunConfig } from './config/parse-run-config.ts';
export type { RunConfig, RunConfigInput } from './config/run-config.ts';
export { type EventOf, type FinishEvent, readEvent, type TrainEvent } from './events.ts';
export type { TrainerState } from './trainer-state.ts';
