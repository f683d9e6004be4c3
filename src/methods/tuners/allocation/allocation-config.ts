import { z } from 'zod';
import { isOwnFunction, wordOrFunction } from '../own-function.ts';

/** The curves that a budget can follow. */
export const CURVES = ['cubic', 'linear', 'exponential', 'cosine', 'constant'] as const;

export type Curve = (typeof CURVES)[number];

/**
 * A number at a point between `start` and `end`.
 *
 * @param curve `cubic`: the paper's, which falls fast at first; `late-cubic`: ElaLoRA's, which falls fast at the end and
 * is called `cubic` in configs of methods that move ranks; `exponential`: the same factor at each step; `constant`:
 * unchanged until the end
 * @param share the covered share of the way, from 0 to 1
 */
export function alongCurve(curve: Curve | 'late-cubic', share: number, start: number, end: number): number {
  const left = 1 - share;
  switch (curve) {
    case 'cubic':
      return (start - end) * left ** 3 + end;
    case 'late-cubic':
      return start - (start - end) * share ** 3;
    case 'linear':
      return (start - end) * left + end;
    case 'cosine':
      return (start - end) * (0.5 + Math.cos(Math.PI * share) / 2) + end;
    case 'exponential':
      return start * (end / start) ** share;
    case 'constant':
      return start;
  }
}

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

/** Keys for the removal of pruned components. PEFT does not have them. */
export const pruningShape = {
  /** Remove pruned components when the ranks are final, or only from the exported adapter (PEFT). */
  shrink: z.enum(['at-final', 'at-export']).default('at-final'),
};

export type PruningConfig = z.output<z.ZodObject<typeof pruningShape>>;

/**
 * The schema of an importance score: one of some names or, in a program, a `ScoreFunction`. That type is written out,
 * because in the registry's declarations the compiler loses the import of an alias.
 */
export function scoreNamed<const Names extends readonly [string, ...string[]]>(names: Names) {
  return wordOrFunction<
    (importance: Readonly<{ sensitivity: number; uncertainty: number; value: number }>) => number,
    Names
  >(names);
}

/** Describes the settings of the budget's schedule that differ from the usual ones. */
export function allocationVariants(settings: Readonly<Record<string, unknown>>): string[] {
  const { schedule = 'cubic' } = settings;
  if (schedule === 'cubic') return [];
  return [isOwnFunction(schedule) ? 'own schedule' : `${schedule} schedule`];
}
