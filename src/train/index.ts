export type { Engine } from './engine.ts';
export type { FinishEvent, TrainEvent } from './events.ts';
export { type Plan, planRun } from './plan.ts';
export { Program } from './program.ts';
export { parseRunConfig, type RunConfig, type RunConfigInput } from './run-config.ts';
export { Trainer, type TrainerHost, type TrainerInputs } from './trainer.ts';
export { type TrainerSettings, trainerSettings } from './trainer-settings.ts';
export { evaluationGraph, trainingGraph } from './training-graph.ts';
export { Updater } from './updater.ts';
