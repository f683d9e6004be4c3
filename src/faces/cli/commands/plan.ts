import type { Budget } from '../../../methods/tuners/method-run.ts';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import { THIS_NODE } from '../../../studies/jobs/node/machine.ts';
import { type Plan, type PlannedBase, planAsked } from '../../../studies/jobs/plan/plan.ts';
import { type AskedRun, inFiles } from '../../../studies/jobs/rows-in-memory.ts';
import { counted, duration } from '../../../studies/report/format.ts';
import { rankTable } from '../../../studies/report/rank-table.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { describeChosen } from '../../../training/run/config/resolve-config.ts';
import { configPath } from '../config-path.ts';
import { assertNoColumns, type KeyOptions, keySettings } from '../key-options.ts';
import { readConfigText } from '../load-config.ts';
import { withOwnMethods } from '../own-methods.ts';
import { runConfigAt } from '../run-config-at.ts';
import { configForData } from '../starting/config-for-data.ts';
import { isDataFile } from '../starting/read-data-file.ts';
import { downloadDisplay } from '../terminal/download-display.ts';
import { heatMap } from '../terminal/heat-map.ts';
import { aligned } from '../terminal/plain-text.ts';

interface Flags extends KeyOptions {
  json?: boolean;
}

export default async function run(path: string | undefined, flags: Flags): Promise<void> {
  const { json } = flags;
  const asked = await readConfig(path, flags);
  const planned = await planAsked(THIS_NODE, asked, {
    onDownload: downloadDisplay(process.stderr),
    isTimed: true,
  });
  if (json) {
    console.log(JSON.stringify(planned));
    return;
  }
  console.log(describePlan(planned));
}

/** The config to plan. For a data file, it is not written. */
async function readConfig(path: string | undefined, flags: Flags): Promise<AskedRun> {
  if (path === undefined || !isDataFile(path)) {
    assertNoColumns(flags);
    return runConfigAt(configPath(path), keySettings(flags));
  }
  const tell = flags.json ? console.error : console.log;
  const { name, text, set } = await configForData({ path, options: flags }, tell);
  const { value, where } = await withOwnMethods(readConfigText(text, name, set));
  return inFiles(parseRunConfig(value, where));
}

/** Width of the column of names. */
const NAMES = 'in adapters'.length;

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
  ];
  if (sites > 0) facts.push(inAdapters(plan));
  facts.push(['steps', `${counted(plan.steps)}, ${counted(plan.stepsPerEpoch)} per epoch`]);
  facts.push(['tokens', `${counted(plan.tokens)} per epoch`]);
  if (plan.baseDtype !== 'float32') facts.push(['base', plan.baseDtype]);
  if (rankMeasurement !== undefined)
    facts.push(['ranks', `means: ${rankMeasurement} set them before training`]);
  if (budget) facts.push(...describeBudget(budget, plan));
  if (plan.gradientCheckpointing) facts.push(['activations', 'recomputed (gradient_checkpointing)']);
  if (plan.seconds !== undefined) facts.push(['time', `about ${duration(plan.seconds)} on this machine`]);
  facts.push(['memory', `about ${counted(Math.round(plan.memoryMb))} MB at the peak`]);
  const lines = facts.map(([name, fact]) => `${name.padEnd(NAMES)}  ${fact}`);
  const table = rankTable(ranks);
  return [
    plan.chosen.map((one) => `chosen: ${describeChosen(one)}`).join('\n'),
    lines.join('\n'),
    table.modules === 0 ? '' : heatMap(table, false),
    basesTable(plan.bases, plan.baseDtype),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function inAdapters({ adapterParameters, sites, ranks }: Plan): [string, string] {
  const places = Object.keys(ranks).length > 0 ? 'matrices' : 'modules';
  return ['in adapters', `${counted(adapterParameters)} in ${counted(sites)} ${places}`];
}

/** A table with the estimated memory of each base type. The config's type is marked. */
function basesTable(bases: readonly PlannedBase[], configured: BaseDtype): string {
  const rows = bases.map(({ dtype, memoryMb }) => [
    dtype,
    `${counted(Math.round(memoryMb))} MB`,
    dtype === configured ? '(this config)' : '',
  ]);
  return aligned([['base_dtype', 'memory', ''], ...rows], (column) => column === 1).join('\n');
}

/**
 * Describes a budget in every unit, the effect of rounding, and its schedule. The budget is exact in its own
 * unit. In other units, it depends on which matrices keep their ranks.
 */
function describeBudget(
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
      `falls from step ${counted(tinit)} to ${counted(plan.steps - tfinal)}, every ${deltaT === 1 ? 'step' : `${counted(deltaT)} steps`}`,
    ],
    ...(assumed === undefined ? [] : [['', assumed] as [string, string]]),
    ['mean rank', `${rank(initial.rank)} to ${about(isCounted)}${rank(target.rank)}`],
    [
      'parameters',
      `${counted(initial.parameters)} to ${limit(unit === 'parameters')}${counted(target.parameters)}, ${share.toFixed(2)} % of the model's`,
    ],
    ...rounded.map((sentence, i): [string, string] => [i === 0 ? 'rounded' : '', sentence]),
  ];
}

/**
 * Returns "at most" or "about". Only a target in parameters is an upper limit. The result may be
 * below it by up to one triplet.
 */
function limit(isExact: boolean): string {
  return isExact ? 'at most ' : 'about ';
}

function rank(mean: number): string {
  return `${Number(mean.toFixed(2))}`;
}
