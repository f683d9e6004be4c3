import { z } from 'zod';
import { InvalidConfig } from '../../../support/user-error.ts';

/** The curves that a budget can follow. */
export const CURVES = ['cubic', 'linear', 'exponential', 'cosine', 'constant'] as const;

type Curve = (typeof CURVES)[number];

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
const TINIT = 10;

const TFINAL = 40;

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
  /** Curve of the budget between `tinit` and `tfinal`. Default: `cubic`, as in the paper. */
  schedule: z.enum(CURVES).optional(),
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

/** Describes the settings of the budget's schedule that differ from the usual ones. */
export function scheduleVariants(settings: Readonly<Record<string, unknown>>): string[] {
  const { schedule = 'cubic' } = settings;
  return schedule === 'cubic' ? [] : [`${schedule} schedule`];
}

/** The phases of a run, in optimizer steps. */
export interface AllocationSchedule {
  /** Number of steps before the budget begins to decrease. */
  tinit: number;
  /** Number of steps after the final pattern is chosen. */
  tfinal: number;
  /** In the budgeting phase, triplets are masked at multiples of this step. */
  deltaT: number;
  /** Number of optimizer steps in the whole run. */
  totalStep: number;
}

export interface BudgetSettings extends AllocationSchedule {
  /** Number of triplets at the start, over all modules. */
  initialBudget: number;
  /** Number of triplets at the end. */
  targetBudget: number;
  /** The curve of the budget. Default: cubic. */
  curve?: Curve;
}

/**
 * The number of triplets that may be kept after `step` (from 1). It is constant until `tinit`, decreases until
 * `totalStep - tfinal` (by default cubically), and is constant again. It is truncated to an integer as in PEFT. This is
 * equation 14 of the paper with a correction: as printed, it exceeds the initial budget.
 */
export function budgetAt(step: number, settings: BudgetSettings): number {
  const { initialBudget, targetBudget, tinit, curve = 'cubic' } = settings;
  const end = finalStep(settings);
  if (step <= tinit) return initialBudget;
  if (step >= end) return targetBudget;
  const share = (step - tinit) / (end - tinit);
  return Math.trunc(alongCurve(curve, share, initialBudget, targetBudget));
}

/** The step at which the pattern becomes final. It is the last masking step. */
export function finalStep({ totalStep, tfinal }: AllocationSchedule): number {
  return totalStep - tfinal;
}

/**
 * Whether triplets are masked at `step`. As in PEFT, they are masked in the budgeting phase at multiples of `deltaT`,
 * and always at the end of that phase. Multiples are counted from the start of the run.
 */
export function masksAt(step: number, schedule: AllocationSchedule): boolean {
  const end = finalStep(schedule);
  return step === end || (step > schedule.tinit && step < end && step % schedule.deltaT === 0);
}

/** The number of masking steps in the run. */
export function maskingSteps(schedule: AllocationSchedule): number {
  const { tinit, deltaT } = schedule;
  return Math.floor((finalStep(schedule) - 1) / deltaT) - Math.floor(tinit / deltaT) + 1;
}

type Phases = Pick<ScheduleConfig, 'tinit' | 'tfinal'>;

/**
 * The phases of a run of `totalStep` optimizer steps, in steps. Shares are rounded down (`deltaT` to at least 1).
 *
 * @param method the section's name, for messages
 * @throws UserError if no step is left for the budgeting phase
 */
export function resolveSchedule(
  config: Pick<ScheduleConfig, 'tinit' | 'tfinal' | 'deltaT'>,
  totalStep: number,
  method: string,
): AllocationSchedule {
  const schedule = {
    ...phases(config, totalStep),
    deltaT: Math.max(1, inSteps(config.deltaT, totalStep)),
    totalStep,
  };
  const end = finalStep(schedule);
  if (end <= schedule.tinit) {
    throw new InvalidConfig({
      where: `${method}.tinit, ${method}.tfinal`,
      fault: `leave no step to allocate the budget: tinit + tfinal must be less than ${totalStep} (the steps of this run), got ${schedule.tinit} + ${schedule.tfinal} = ${schedule.tinit + schedule.tfinal}`,
      hint: 'Lower tinit or tfinal (shares such as 10% follow the length of the run), or train for more steps.',
    });
  }
  if (totalStep < 2) {
    throw new InvalidConfig({
      where: 'The run',
      fault: 'has one step, and none before it to measure which ranks matter',
      hint: 'Train for at least two steps (more rows, more epochs or a smaller batch), or set method: lora.',
    });
  }
  if (end < 2) {
    throw new InvalidConfig({
      where: `${method}.tfinal`,
      fault: `puts the final allocation at step ${end} of ${totalStep}, with no step before it to measure importance`,
      hint: `Set ${method}.tfinal to at most ${totalStep - 2}.`,
    });
  }
  return schedule;
}

/**
 * Fills in the phases that the config omits. Each is a share of the run, but at most half of the steps outside the
 * given phase, so that the budget can decrease in the rest.
 */
function phases({ tinit, tfinal }: Phases, totalStep: number): { tinit: number; tfinal: number } {
  const share = (percent: number, given: number) =>
    Math.max(0, Math.floor(Math.min((totalStep * percent) / 100, (totalStep - given) / 2)));
  const before = tinit === undefined ? undefined : inSteps(tinit, totalStep);
  const after = tfinal === undefined ? share(TFINAL, before ?? 0) : inSteps(tfinal, totalStep);
  return { tinit: before ?? share(TINIT, tfinal === undefined ? 0 : after), tfinal: after };
}

/** A notice about the phases that a config omits. Undefined if it sets both. */
export function assumedPhases(config: Phases, schedule: AllocationSchedule): string | undefined {
  const left = (['tinit', 'tfinal'] as const).filter((key) => config[key] === undefined);
  if (left.length === 0) return undefined;
  const used = left.map((key) => `${key} = ${schedule[key]}`).join(' and ');
  return `The config does not set ${left.join(' and ')}. Using ${used} of ${schedule.totalStep} steps.`;
}

function inSteps(value: number | string, totalStep: number): number {
  return typeof value === 'number' ? value : Math.floor((totalStep * Number.parseFloat(value)) / 100);
}
