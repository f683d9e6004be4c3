import type { MixtureSource } from '../../../program/example-set.ts';
import type { Plan } from '../../../studies/jobs/plan/plan.ts';
import { counted } from '../../../studies/report/format.ts';
import { rankTable } from '../../../studies/report/rank-table.ts';
import { describeChosen } from '../../../training/run/config/resolve-config.ts';
import { basesTable } from './bases-table.ts';
import { describeBudget } from './budget-facts.ts';
import { heatMap } from './heat-map.ts';

/** Width of the column of names. */
const NAMES = 'in adapters'.length;

/** The last line of a plan that was not measured. */
const HINT = 'Speed, and memory measured: --measure';

/** Formats a plan: one line per quantity, the modules with their initial ranks, and estimates for each base type. */
export function describePlan(plan: Plan): string {
  const { sites, ranks, trainableParameters, totalParameters, budget, rankMeasurement } = plan;
  const share = ((100 * trainableParameters) / totalParameters).toFixed(2);
  const facts: [string, string][] = [
    ['method', plan.method],
    [
      'trained',
      `${rankMeasurement === undefined ? '' : 'about '}${counted(trainableParameters)} parameters, ${share} % of ${counted(totalParameters)}`,
    ],
    ...(sites === 0 ? [] : [inAdapters(plan)]),
    ['steps', `${counted(plan.steps)}, ${counted(plan.stepsPerEpoch)} per epoch`],
    ['tokens', `${counted(plan.tokens)} per epoch`],
    ...(plan.baseDtype === 'float32' ? [] : [['base', plan.baseDtype] as [string, string]]),
  ];
  for (const source of plan.sources ?? []) facts.push(['drawn', sourceFact(source, plan)]);
  if (rankMeasurement !== undefined)
    facts.push(['ranks', `means: ${rankMeasurement} set them before training`]);
  if (budget) facts.push(...describeBudget(budget, plan));
  if (plan.gradientCheckpointing) facts.push(['activations', 'recomputed (gradient_checkpointing)']);
  facts.push(['memory', `about ${counted(Math.round(plan.memoryMb))} MB at the peak`]);
  const lines = facts.map(([name, fact]) => `${name.padEnd(NAMES)}  ${fact}`);
  const table = rankTable(ranks);
  const isMeasured = plan.bases.some(({ measured, failure }) => measured || failure !== undefined);
  return [
    ...(plan.chosen.length > 0
      ? [plan.chosen.map((one) => `chosen: ${describeChosen(one)}`).join('\n')]
      : []),
    lines.join('\n'),
    ...(table.modules === 0 ? [] : [heatMap(table, false)]),
    basesTable(plan.bases, plan.baseDtype),
    ...(isMeasured ? [] : [HINT]),
  ].join('\n\n');
}

/** Describes a source: "700 of 1,000 examples of a.tsv, 70.0 % of an epoch". */
function sourceFact({ name, examples, drawn }: MixtureSource, { sources = [] }: Plan): string {
  const share = (100 * drawn) / sources.reduce((sum, source) => sum + source.drawn, 0);
  const amount =
    drawn > examples
      ? `${counted(drawn)} from ${counted(examples)}`
      : `${counted(drawn)} of ${counted(examples)}`;
  return `${amount} examples of ${name}, ${share.toFixed(1)} % of an epoch`;
}

function inAdapters({ adapterParameters, sites, ranks }: Plan): [string, string] {
  const places = Object.keys(ranks).length > 0 ? 'matrices' : 'modules';
  return ['in adapters', `${counted(adapterParameters)} in ${counted(sites)} ${places}`];
}
