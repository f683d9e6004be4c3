import { z } from 'zod';
import { wordOrFunction } from '../own-function.ts';
import { CURVES } from './curves.ts';

const SHARE = /^(100|\d{1,2}(\.\d+)?)%$/;

/** A number of optimizer steps, or a share of the run such as `10%`. */
const steps = (least: number) =>
  z.union([z.int().min(least), z.string().regex(SHARE, 'expected a share such as 10%')], {
    error: `expected a whole number from ${least}, or a share such as 10%`,
  });

/** Default `tinit` and `tfinal`, in percent of the run. */
export const TINIT = 10;
export const TFINAL = 40;

/**
 * When the budget decreases, and how importance is smoothed. The keys are PEFT's, and so are most defaults. `tinit` and
 * `tfinal` differ: with PEFT's 0, the budget would decrease until the last step. `total_step` is computed.
 */
export const scheduleShape = {
  /** Steps before the budget starts to fall: a number or a share. Default: 10 % of the run. */
  tinit: steps(0).optional(),
  /** Final steps with fixed ranks: a number or a share. Default: 40 % of the run. */
  tfinal: steps(0).optional(),
  /** Steps between two allocations. */
  deltaT: steps(1).default(1),
  /** Curve of the budget between `tinit` and `tfinal`. Default: `cubic`, as in the paper. A program may give a function of the step. */
  schedule: wordOrFunction<(step: number) => number, typeof CURVES>(CURVES).optional(),
  /** Smoothing of the sensitivity (moving average). */
  beta1: z.number().gt(0).lt(1).default(0.85),
  /** Smoothing of the uncertainty (moving average). */
  beta2: z.number().gt(0).lt(1).default(0.85),
};

export type ScheduleConfig = z.output<z.ZodObject<typeof scheduleShape>>;
