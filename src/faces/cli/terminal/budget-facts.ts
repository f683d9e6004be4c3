import type { Budget } from '../../../methods/tuners/method-run.ts';
import type { Plan } from '../../../studies/jobs/plan/plan.ts';
import { counted } from '../../../studies/report/format.ts';

/**
 * Describes a budget in every unit, the effect of rounding, and its schedule. The budget is exact in its own
 * unit. In other units, it depends on which matrices keep their ranks.
 */
export function describeBudget(
  budget: Budget,
  plan: Pick<Plan, 'steps' | 'totalParameters' | 'adapterParameters'>,
): [string, string][] {
  const { tinit, tfinal, deltaT, unit, components, rounded, assumed } = budget;
  const { initial, target } = budget.forms;
  const about = (isExact: boolean) => (isExact ? '' : 'about ');
  const share = (100 * target.parameters) / (plan.totalParameters - plan.adapterParameters);
  const isCounted = unit === 'components';
  return [
    [
      'budget',
      `${counted(initial.components)} ${components} down to ${about(isCounted)}${counted(target.components)}`,
    ],
    [
      '',
      `falls from step ${counted(tinit)} to ${counted(plan.steps - tfinal)}, every ${counted(deltaT)} steps`,
    ],
    ...(assumed === undefined ? [] : [['', assumed] as [string, string]]),
    ['mean rank', `${rank(initial.rank)} to ${about(isCounted)}${rank(target.rank)}`],
    [
      'parameters',
      `${counted(initial.parameters)} to ${limit(unit === 'parameters')}${counted(target.parameters)}, ${share.toFixed(2)} % of the model's`,
    ],
    ['file', `${size(initial.bytes)} to ${limit(unit === 'bytes')}${size(target.bytes)}, with the head`],
    ...rounded.map((sentence, i): [string, string] => [i === 0 ? 'rounded' : '', sentence]),
  ];
}

/**
 * Returns "at most" or "about". Only a target in parameters or bytes is an upper limit. The result may be
 * below it by up to one triplet.
 */
function limit(isExact: boolean): string {
  return isExact ? 'at most ' : 'about ';
}

function rank(mean: number): string {
  return `${Number(mean.toFixed(2))}`;
}

function size(bytes: number): string {
  return `${counted(Math.round(bytes / 1000))} kB`;
}
