import { z } from 'zod';
import { InvalidConfig } from '../../../support/user-error.ts';
import {
  type AllocationSchedule,
  finalStep,
  resolveSchedule,
  scheduleShape,
} from '../allocation/schedule.ts';
import { tripletShape } from '../composed/triplet-method.ts';
import { adapterConfigShape } from '../low-rank/peft-config.ts';
import { rank } from '../peft/settings.ts';

const { tinit, tfinal, deltaT, beta1, beta2 } = scheduleShape;

/** IncreLoRA's settings, as in its released code. Settings that AdaLoRA also has, have AdaLoRA's names. */
export const increLoraConfigSchema = z
  .strictObject({
    ...adapterConfigShape,
    /** Rank of every module at the start. */
    init_r: rank.default(1),
    /** Mean rank at the end. */
    target_r: rank.default(8),
    /** Number of modules that grow at once. */
    top_h: z.int().min(1).default(10),
    /** Number of triplets that such a module gains. Default: half of `target_r`. */
    incre_rank_num: z.int().min(1).optional(),
    /**
     * The last round of growth: it stops at the target (`exact`), or each growing module gains all of its triplets
     * (`whole`, as in the released code).
     */
    last_round: z.enum(['exact', 'whole']).default('exact'),
    /**
     * The score of a step with several micro-batches: their `mean`, or that of the `last` one (as in the released
     * code). A loss that compares all texts of a step has one score.
     */
    score_batches: z.enum(['mean', 'last']).default('mean'),
    /** Train the next triplets of each module before they are added, with λ fixed at 1e-5. */
    advance_learn: z.boolean().default(true),
    /** Steps before ranks grow: a number or a share. Default: 10 % of the run. */
    tinit,
    /** Final steps with fixed ranks: a number or a share. Default: 40 % of the run. */
    tfinal,
    /** Steps between two rounds of growth: a number or a share. Default: the rounds fill the steps between `tinit` and `tfinal`. */
    deltaT: deltaT.unwrap().optional(),
    /** Smoothing of the sensitivity (moving average). */
    beta1,
    /** Smoothing of the uncertainty (moving average). */
    beta2,
    ...tripletShape,
  })
  .refine(({ init_r, target_r }) => init_r < target_r, {
    path: ['target_r'],
    error: 'must be above init_r',
  });

export type IncreLoraConfig = z.infer<typeof increLoraConfigSchema>;

/** How ranks grow. */
export interface Growth {
  schedule: AllocationSchedule;
  /** Number of triplets over all modules at the end. */
  target: number;
  /** Number of modules that grow in a round, and number of triplets that each gains. */
  modules: number;
  gained: number;
  /** Whether the last round may exceed the target. */
  exceeds?: boolean;
}

/**
 * Plans the growth of `count` modules in a run.
 *
 * @throws UserError if the run is too short for its rounds
 */
export function planGrowth(config: IncreLoraConfig, count: number, totalSteps: number): Growth {
  const { init_r, target_r, deltaT: everySteps, top_h } = config;
  const gained = config.incre_rank_num ?? Math.max(1, Math.round(target_r / 2));
  const modules = Math.min(top_h, count);
  const rounds = Math.ceil(((target_r - init_r) * count) / (modules * gained));
  const phases = resolveSchedule({ ...config, deltaT: everySteps ?? 1 }, totalSteps, 'increlora');
  const last = Math.min(finalStep(phases), totalSteps - 1);
  const even = Math.max(1, Math.floor((last - phases.tinit) / rounds));
  const schedule = { ...phases, deltaT: everySteps === undefined ? even : phases.deltaT };
  const { tinit, deltaT } = schedule;
  const possible = Math.floor(last / deltaT) - Math.floor(tinit / deltaT);
  const exceeds = config.last_round === 'whole';
  if (possible >= rounds) return { schedule, target: target_r * count, modules, gained, exceeds };
  throw new InvalidConfig({
    where: 'increlora.deltaT',
    fault: `leaves ${possible} rounds of growth between tinit and tfinal, but ${count} modules need ${rounds} from rank ${init_r} to ${target_r}`,
    hint: 'Raise top_h or incre_rank_num, lower deltaT, or train for more steps.',
  });
}

/** Whether ranks grow at a step. Steps count from 1; in the released code, they count from 0. */
export function growsAt(step: number, { tinit, deltaT }: AllocationSchedule): boolean {
  return step - 1 > tinit && (step - 1) % deltaT === 0;
}
