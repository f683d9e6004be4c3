import { readMethodTexts } from '../../../../methods/tuners/registry.ts';
import { listed } from '../../../../support/text.ts';
import { TASK_NAMES, taskNamed } from '../../../../tasks/registry.ts';
import { capital, counted, countedNoun, duration, score, short } from '../../format.ts';
import { type Markup, markup } from '../../markup.ts';
import {
  dataName,
  intervalOver,
  intervalText,
  joinNames,
  modelName,
  type RunGroup,
  scoreTitleIn,
} from '../../run/group-runs.ts';
import {
  examplesPerSecond,
  examplesPerStep,
  finalScores,
  methodSettings,
  methodTitle,
  newestRanks,
  type RunRecord,
  runMemoryMb,
  stepMs,
} from '../../run/run-record.ts';
import { table } from '../section.ts';
import { scoreNames } from './result.ts';

/** The runs as a table, with a column for each group. */
export function summary(groups: readonly RunGroup[]): Markup {
  const rows = FACTS.map(([name, of]) => [name, ...groups.map((group) => of(group))]);
  const filled = rows.filter(([, ...cells]) => cells.some((cell) => cell !== ''));
  return table('What was run', groups, filled);
}

const FACTS: readonly (readonly [name: string, of: (group: RunGroup) => string])[] = [
  ['Folder', ({ runs }) => joinNames(runs)],
  ['Model', ({ runs: [run] }) => modelName(run.facts)],
  ['Task', ({ runs: [run] }) => describeTask(run)],
  ['Data', ({ runs: [run] }) => describeData(run)],
  ['Method', ({ runs: [run] }) => describeMethod(run)],
  ['Base', ({ runs: [{ facts }] }) => (facts.base_dtype === 'float32' ? '' : facts.base_dtype)],
  ['Seed', ({ runs }) => listed(runs.map(({ facts }) => `${facts.seed}`))],
  ['Steps', ({ runs: [run] }) => describeSteps(run)],
  ['State', ({ runs }) => listed([...new Set(runs.map(runState))])],
  [
    'Training time',
    ({ runs }) =>
      intervalText(
        intervalOver(runs, ({ finish }) => finish?.total_runtime ?? finish?.train_runtime),
        duration,
      ).replace(/^–$/, ''),
  ],
];

function describeTask({ facts }: RunRecord): string {
  const known = TASK_NAMES.find((name) => name === facts.task);
  const task = known ? taskNamed(known).words.name : facts.task;
  return facts.data.text_pair === undefined ? task : `${task} of pairs`;
}

function describeData({ facts, start }: RunRecord): string {
  if (!start) return dataName(facts);
  const sizes = [`${counted(start.train_examples)} to train on`];
  if (start.eval_examples > 0) sizes.push(`${counted(start.eval_examples)} to validate`);
  return `${dataName(facts)}: ${sizes.join(', ')}`;
}

function describeMethod(run: RunRecord): string {
  const { facts } = run;
  const modules = Object.keys(newestRanks(run)).length;
  const summary = readMethodTexts(facts.method).summary?.(methodSettings(facts));
  const where = summary !== undefined && modules > 0 ? ` in ${modules} matrices` : '';
  const from = facts.adapter === undefined ? '' : ', continued from an earlier adapter';
  return `${methodTitle(facts)}${summary === undefined ? '' : `, ${summary}`}${where}${from}`;
}

function describeSteps(run: RunRecord): string {
  const { start } = run;
  if (!start) return '';
  const epochs = Number(start.num_train_epochs.toFixed(2));
  const examples = Math.round(examplesPerStep(run));
  return `${counted(start.total_steps)} of ${countedNoun(examples, 'example')} (${epochs} ${epochs === 1 ? 'epoch' : 'epochs'})`;
}

/** The state of a run. */
export function runState({ finish, step }: RunRecord): string {
  switch (finish?.reason) {
    case 'done':
      return 'done';
    case 'early':
    case 'stop_at_step':
      return `ended early at step ${counted(step)}`;
    case 'stopped':
      return `stopped at step ${counted(step)}`;
    default:
      return step > 0 ? `not finished, at step ${counted(step)}` : 'not started';
  }
}

/** The page's title, such as `AdaLoRA and LoRA on CoLA`. */
export function reportTitle(groups: readonly RunGroup[]): string {
  const facts = groups.flatMap(({ runs }) => runs.map((run) => run.facts));
  const methods = [...new Set(facts.map(methodTitle))];
  const title = `${listed(methods)} on ${listed([...new Set(facts.map(dataName))])}`;
  return capital(title);
}

/** The result in one or two sentences. */
export function describeLead(groups: readonly RunGroup[]): string {
  const runs = groups.flatMap((group) => group.runs);
  const models = listed([...new Set(runs.map(({ facts }) => modelName(facts)))]);
  const [name] = scoreNames(groups);
  const scores = groups.flatMap((group) => {
    const value = intervalOver(group.runs, (run) => finalScores(run).get(name!));
    return value ? `${groups.length > 1 ? `${group.label} ` : ''}${intervalText(value, score)}` : [];
  });
  const result = scores.length > 0 ? `: ${scoreTitleIn(groups, name!)} ${scores.join(', ')}` : '';
  const how = groups.some((group) => group.runs.length > 1)
    ? ' Runs that differ only by seed are averaged: numbers are means; ± and pale bands are 95 % intervals of the mean (Student’s t).'
    : '';
  return `${models}${result}.${how}`;
}

interface Cost {
  name: string;
  of: (run: RunRecord) => number | undefined;
  show: (value: number) => string;
  unit?: string;
}

const COSTS: readonly Cost[] = [
  { name: 'Time per step', of: stepMs, show: short, unit: ' ms' },
  { name: 'Examples per second', of: examplesPerSecond, show: short },
  { name: 'Peak memory', of: runMemoryMb, show: counted, unit: ' MB' },
  { name: 'Trained parameters', of: ({ start }) => start?.trainable_parameters, show: counted },
  { name: 'of them in the adapter', of: ({ start }) => start?.adapter_parameters, show: counted },
  {
    name: 'From start to first step',
    of: ({ start }) => start && start.startup_ms / 1000,
    show: short,
    unit: ' s',
  },
];

/** The cost of each run, and its ratio to the first run's. */
export function cost(groups: readonly RunGroup[]): Markup | undefined {
  if (groups.every(({ runs }) => runs.every(({ start }) => !start))) return undefined;
  const rows = COSTS.map(({ name, of, show, unit }) => {
    const values = groups.map(({ runs }) => intervalOver(runs, of));
    return [
      name,
      ...values.map((value, i) => {
        const [first] = values;
        const share = i > 0 && first && value && first.mean > 0 ? value.mean / first.mean : undefined;
        return markup`${intervalText(value, show, unit)}${share !== undefined && markup` <small>× ${share.toFixed(2)}</small>`}`;
      }),
    ];
  });
  const note = groups.length > 1 ? ` × is relative to ${groups[0]!.label}.` : '';
  return markup`${table('Cost', groups, rows)}<p class="note">Parameters are counted at the start of training, before triplets are pruned. Times and rates exclude evaluations. Memory is that of the whole process.${note}</p>`;
}
