export { accumulate } from './accumulate.ts';
export { Adafactor } from './adafactor.ts';
export { AdamW, type AdamWOptions } from './adamw.ts';
export { clipByGlobalNorm, globalNorm } from './clip.ts';
export { Lion } from './lion.ts';
export {
  type Moments,
  OPTIMIZER_NAMES,
  type Optimizer,
  type OptimizerName,
  type OptimizerState,
} from './optimizer.ts';
export {
  LR_SCHEDULER_TYPES,
  type LrSchedulerType,
  learningRateFactor,
  type ScheduleOptions,
  warmupStepsOf,
} from './schedule.ts';
export type { Segment } from './segment.ts';
