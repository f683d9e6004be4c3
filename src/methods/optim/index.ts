export { Adafactor } from './adafactor.ts';
export { AdamW, type AdamWOptions } from './adamw.ts';
export { accumulate, clipByGlobalNorm, globalNorm } from './gradient.ts';
export type { Segment } from './moment-optimizer.ts';
export {
  Lion,
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
