import { z } from 'zod';
import { roundHalfEven } from '../../../support/numbers.ts';
import { scheduleShape } from '../allocation/allocation-config.ts';
import { type AllocationSchedule, finalStep } from '../allocation/budget.ts';
import { tripletShape } from '../composed/triplet-method.ts';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';
import { rank } from '../shared/rank.ts';

const { tinit, tfinal, deltaT } = scheduleShape;

/** Settings of methods that move ranks between modules while they train. */
export const elasticShape = {
  ...adapterConfigShape,
  /** Rank of every module at the start. It is also the mean rank during the whole run. */
  r: rank.default(8),
  /** Steps before ranks move: a number or a share. Default: 10 % of the run. */
  tinit,
  /** Final steps with fixed ranks: a number or a share. Default: 40 % of the run. */
  tfinal,
  /** Steps between two moves: a number or a share. Each move rebuilds the graph, which takes about a second. */
  deltaT: deltaT.unwrap().default('5%'),
  /** Maximum number of ranks that move at once. */
  b: z.int().min(1).default(4),
  /** Whether `b` falls to zero between `tinit` and `tfinal` (`cubic`) or not (`constant`). */
  schedule: z.enum(['cubic', 'constant']).default('cubic'),
  /**
   * Whether the optimizer forgets the moments of all values when ranks move, as in the released code. Default: those of
   * new triplets only.
   */
  restart_optimizer: z.boolean().default(false),
  ...tripletShape,
};

export type ElasticConfig = z.output<z.ZodObject<typeof elasticShape>>;

/** How many ranks move at once. */
interface Movement {
  b: number;
  schedule: 'cubic' | 'constant';
}

/** The number of ranks that move at a step. 0 at steps without a move. Steps count from 1. */
export function movedRanks(
  step: number,
  schedule: AllocationSchedule,
  { b, schedule: curve }: Movement,
): number {
  const { tinit, deltaT } = schedule;
  const end = finalStep(schedule);
  if (step <= tinit || step >= end || (step - tinit) % deltaT !== 0) return 0;
  if (curve === 'constant') return b;
  return roundHalfEven(b - b * ((step - tinit) / (end - tinit)) ** 3);
}

/** Whether no ranks move after this step. */
export function isLastMove(step: number, schedule: AllocationSchedule, movement: Movement): boolean {
  for (let later = step + 1; later < finalStep(schedule); later++)
    if (movedRanks(later, schedule, movement) > 0) return false;
  return true;
}
