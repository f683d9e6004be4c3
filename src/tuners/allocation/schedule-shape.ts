import { z } from 'zod';
import { CURVES } from './curves.ts';

const SHARE = /^(100|\d{1,2}(\.\d+)?)%$/;

/** A number of optimizer steps, or a share of the run such as `10%`. */
const steps = (least: number) =>
  z.union([z.int().min(least), z.string().regex(SHARE, 'expected a share like 10%')], {
    error: `expected a count from ${least} or a share like 10%`,
  });

/** Percent of a run whose config does not say `tinit` or `tfinal`. */
export const TINIT = 10;
export const TFINAL = 40;

/**
 * When the budget falls, and how importance is smoothed: PEFT's keys, and its defaults but for `tinit` and `tfinal`, of which its 0
 * lets the budget fall to the last step. `total_step` is computed.
 */
export const scheduleShape = {
  /** Steps before the budget begins to fall. Left out: 10 % of the run. */
  tinit: steps(0).optional(),
  /** Steps after the final pattern is chosen. Left out: 40 % of the run. */
  tfinal: steps(0).optional(),
  /** Steps between two allocations. */
  deltaT: steps(1).default(1),
  /** How the budget falls between them. Default: `cubic`, the paper's. */
  schedule: z.enum(CURVES).optional(),
  /** Smoothing of the sensitivity. */
  beta1: z.number().gt(0).lt(1).default(0.85),
  /** Smoothing of the uncertainty. */
  beta2: z.number().gt(0).lt(1).default(0.85),
};

export type ScheduleConfig = z.output<z.ZodObject<typeof scheduleShape>>;
