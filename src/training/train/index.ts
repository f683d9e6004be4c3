/**
 * For your own training loop: the trainer, and below it programs, gradients, optimizers and schedules.
 *
 * @module train
 */

export { gradients } from '../../engine/autodiff/gradients.ts';
export { AdamW, type AdamWOptions, type Moments, type Segment } from '../../methods/optim/adamw.ts';
export { accumulate, clipByGlobalNorm, globalNorm } from '../../methods/optim/gradient.ts';
export {
  countWarmupSteps,
  LR_SCHEDULER_TYPES,
  type LrSchedulerType,
  learningRateFactor,
  type ScheduleOptions,
} from '../../methods/optim/schedule.ts';
export type { Engine, EngineOpenOptions } from '../../program/engine.ts';
export type { Confusion, Evaluation, ExampleBatch, ExampleSet, Scores } from '../../program/example-set.ts';
export { predictAll } from '../../program/predict-batches.ts';
export { type Objective, Program } from '../../program/program.ts';
export { evaluationGraph, trainingGraph, tunedNetwork } from '../../program/training-graph.ts';
export type { LoadedModel, ModelWeights } from '../../program/weight-memory.ts';
export { parseRunConfig } from '../run/config/parse-run-config.ts';
export { Trainer, type TrainerHost, type TrainerInputs } from './trainer.ts';
export { type TrainerSettings, trainerSettings } from './trainer-settings.ts';
export { Updater } from './updater.ts';
