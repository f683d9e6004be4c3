export { accumulate } from './accumulate.ts';
export { AdamW, type AdamWOptions, type AdamWState } from './adamw.ts';
export { clipByGlobalNorm, globalNorm } from './clip.ts';
export { LR_SCHEDULER_TYPES, type LrSchedulerType, learningRateFactor, warmupStepsOf } from './schedule.ts';
export type { Segment } from './segment.ts';
