export { continuedConfig } from './config/continued-config.ts';
export { methodOf, parseRunConfig, type RunConfig, type RunConfigInput } from './config/run-config.ts';
export { type EventOf, type FinishEvent, readEvent, type TrainEvent } from './events.ts';
export type { TrainerState } from './trainer-state.ts';
