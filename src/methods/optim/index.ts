export { Adafactor } from './adafactor.ts';
export { AdamW, type AdamWOptions } from './adamw.ts';
export { accumulate, clipByGlobalNorm, globalNorm } from './gradient.ts';
export type { Moments, Optimizer, OptimizerState, Segment } from './moment-optimizer.ts';
export { Lion, OPTIMIZER_NAMES, type OptimizerName } from './optimizer.ts';
export {
  LR_SCHEDULER_TYPES,
  type LrSchedulerType,
  learningRateFactor,
  type ScheduleOptions,
  warmupStepsOf,
} from './schedule.ts';
