import { SCORES, scoreDefinition } from '../../../scores/metrics/scores.ts';
import {
  holm,
  type Interval,
  interval,
  type PairedTest,
  pairedTest,
  variance,
} from '../../../scores/stats/interval.ts';
import { mean } from '../../../support/numbers.ts';
import { mapValues } from '../../../support/options.ts';
import { scorePrefixes, type ValidationFiles } from '../../../tasks/data-files.ts';
import { valueText } from '../../report/format.ts';
import { dataName, intervalOver, modelName } from '../../report/run/group-runs.ts';
import {
  finalParameters,
  listShownValues,
  type RunRecord,
  type RunSummary,
  runMemoryMb,
} from '../../report/run/run-record.ts';
import type { Cell } from '../experiment.ts';
import { pickBest, predictsOneClass, ruleText, type ScoringRule, scoredBy } from '../scoring-rule.ts';
import { type Settings, settingsText } from '../settings.ts';

/** Tests whether two rows differ in a score, over their common seeds. */
export interface PairTest extends PairedTest {
  first: string;
  second: string;
  /** `p`, corrected by Holm's method for all pairs of the task. */
  holm?: number | undefined;
}

/** With more rows, only pairs with the best row are tested: the number of all pairs grows with the square. */
export const MAX_ROWS_IN_PAIRS = 30;

/** Tests every pair of rows with at least two common seeds. */
export function pairTests(rows: readonly RowResult[], score: string, greaterIsBetter: boolean): PairTest[] {
  const scores = rows.map((row) => ({ score: row.scores[score]?.mean ?? Number.NaN, loss: 0 }));
  const [best] = pickBest(new Map(scores.entries()), greaterIsBetter, 1);
  const isTested = (...pair: number[]) => rows.length <= MAX_ROWS_IN_PAIRS || pair.includes(best!);
  const found = rows.flatMap((first, i) =>
    rows.slice(i + 1).flatMap((second, after): PairTest[] => {
      if (!isTested(i, i + 1 + after)) return [];
      const pairs = first.runs.flatMap((run) => {
        const other = second.runs.find(({ seed }) => seed === run.seed);
        const values = [run.scores[score], other?.scores[score]].map((value) => value ?? Number.NaN);
        return values.every(Number.isFinite) ? [values] : [];
      });
      const test = pairedTest(
        pairs.map(([value]) => value!),
        pairs.map(([, value]) => value!),
      );
      return test ? [{ first: first.row, second: second.row, ...test }] : [];
    }),
  );
  const corrected = holm(found.map(({ p }) => p));
  return found.map((test, i) => ({ ...test, holm: corrected[i] }));
}

/** The test of a pair of rows, in either order. */
export function findTest(tests: readonly PairTest[], row: string, other: string): PairTest | undefined {
  const test = tests.find(({ first, second }) => first === row && second === other);
  if (test) return test;
  const turned = tests.find(({ first, second }) => first === other && second === row);
  if (!turned) return undefined;
  const { mean, ...rest } = turned.difference;
  const effect = turned.effect === undefined ? {} : { effect: -turned.effect };
  return { ...turned, first: row, second: other, difference: { mean: -mean, ...rest }, ...effect };
}

/** Remarks on a task's table: what makes a row's result less reliable than it seems. */
function remarksOn(outcomes: readonly CellOutcome[], rows: readonly RowResult[], score: string): string[] {
  return outcomes.flatMap((outcome, i) => [
    ...describeUnfinished(outcome, rows[i]!),
    ...describeDiverged(outcome, rows[i]!, score),
    ...atMajority(outcome, rows[i]!),
    ...failedChoices(outcome),
    ...noneLearned(outcome),
    ...atEdge(outcome),
  ]);
}

function describeUnfinished({ cell, of, failures }: CellOutcome, { runs }: RowResult): string[] {
  const failed = failures.map(({ name, message }) => `${name} failed: ${message.trim().split('\n', 1)[0]}`);
  if (runs.length === of) return failed;
  return [`${cell.row}: ${runs.length} of ${of} runs are finished.`, ...failed];
}

function describeDiverged({ cell, records }: CellOutcome, { runs }: RowResult, score: string): string[] {
  const lost = runs.filter(({ scores }) => !Number.isFinite(scores[score])).map(({ seed }) => seed);
  const skipped = records.filter((record) => skippedSteps(record) > 0).map(({ facts }) => facts.seed);
  return [
    ...(lost.length > 0 ? [`${cell.row}: diverged with ${seeds(lost)} and has no score there.`] : []),
    ...(skipped.length > 0
      ? [`${cell.row}: skipped steps with a gradient that is not finite (${seeds(skipped)}).`]
      : []),
  ];
}

function skippedSteps({ steps }: RunRecord): number {
  return steps.at(-1)?.skipped_steps ?? 0;
}

function atMajority({ cell }: CellOutcome, { runs }: RowResult): string[] {
  const same = runs.filter(({ oneClass }) => oneClass).map(({ seed }) => seed);
  return same.length === 0 ? [] : [`${cell.row}: predicts one class for every example (${seeds(same)}).`];
}

function failedChoices({ cell, tried }: CellOutcome): string[] {
  return tried
    .filter(({ failed }) => failed)
    .map(({ choice }) => `${cell.row}: failed or diverged with ${settingsText(choice)} during tuning.`);
}

/** Remarks on a grid in which no choice learned anything. The choice among them says nothing about the row. */
function noneLearned({ cell, tried }: CellOutcome): string[] {
  const scored = tried.filter(({ score }) => score !== undefined);
  if (scored.length === 0 || !scored.every(({ learnedNothing }) => learnedNothing)) return [];
  return [
    `${cell.row}: no choice of its grid learned anything: each scores 0 or predicts one class for every example. Add other values of training.learning_rate to the grid, or train for more steps.`,
  ];
}

/** Remarks on a choice at the edge of its grid. A better value may lie beyond it. */
function atEdge({ cell, choice }: CellOutcome): string[] {
  if (!choice || cell.grid.length < 2) return [];
  return Object.entries(choice).flatMap(([key, value]) => {
    const values = [...new Set(cell.grid.map((one) => one[key]))];
    if (values.length < 2 || !values.every((one): one is number => typeof one === 'number')) return [];
    const edge =
      value === Math.min(...values) ? 'smallest' : value === Math.max(...values) ? 'largest' : undefined;
    return edge
      ? [
          `${cell.row}: the best ${key}, ${valueText(value)}, is the ${edge} of its grid. A value beyond it may be better.`,
        ]
      : [];
  });
}

function seeds(list: readonly number[]): string {
  return `${list.length === 1 ? 'seed' : 'seeds'} ${list.join(', ')}`;
}

/** A choice of a grid with its last score. */
export interface TriedChoice {
  choice: Settings;
  /** The share of the run, in percent, after which it was scored. */
  until: number;
  score?: number;
  failed?: boolean;
  /** Whether it scores 0 or predicts one class for every example. */
  learnedNothing?: boolean;
}

export interface CellOutcome {
  cell: Cell;
  /** The chosen settings, once they are known. */
  choice?: Settings;
  tried: readonly TriedChoice[];
  /** Records of the cell's finished runs, by seed. */
  records: readonly RunRecord[];
  failures: readonly { name: string; message: string }[];
  /** Number of runs that are planned for the cell. */
  of: number;
  comparedWith?: string;
}

interface StoredResult {
  seed: number;
  steps: number;
  scores: Record<string, number>;
  parameters?: number;
  seconds?: number;
  memoryMb?: number;
  /** Whether the scored model predicts one class for every example. */
  oneClass?: boolean;
}

export interface RowScore extends Interval {
  /** Standard deviation over seeds; undefined for a single seed. */
  deviation?: number;
  /** The paper's score, as a fraction. */
  paper?: number;
}

/** A row of a task's table. */
export interface RowResult {
  row: string;
  settings: Settings;
  choice?: Settings;
  tried: CellOutcome['tried'];
  runs: StoredResult[];
  of: number;
  scores: Record<string, RowScore>;
  /** Final number of trained parameters, as the paper counts: those of the adapter, or all of a model without one. */
  parameters?: Interval;
  /** Seconds of training, including evaluations. */
  seconds?: Interval;
  memoryMb?: Interval;
  comparedWith?: string;
}

export interface TaskResult {
  task: string;
  data: string;
  model: string;
  baseDtype: string;
  rule: ScoringRule & { text: string };
  /** The settings of all finished runs with equal values, by dotted keys. */
  common: Settings;
  /** The scores shown in tables. Statistical tests compare the first. The runs contain all scores of the task. */
  scores: string[];
  /** The factor by which each score is multiplied for printing. */
  scales: Record<string, number>;
  /** How scores are averaged over classes. A score is only listed if all runs average it in the same way. */
  averages: Record<string, string>;
  rows: RowResult[];
  tests: PairTest[];
  remarks: string[];
}

/** The score that is the mean of a task's other scores. */
const MEAN = 'mean';

/** Summarizes a task's finished runs. */
export function taskResult(outcomes: readonly CellOutcome[], rule: ScoringRule): TaskResult {
  const { cell } = outcomes[0]!;
  const allFacts = outcomes.flatMap(({ records }) => records.map(({ facts }) => facts));
  const facts = allFacts[0]!;
  const scored = outcomes.map((outcome) =>
    outcome.records.map((record) => runResult(record, rule, outcome.cell)),
  );
  const names = cell.scores ?? [rule.metric];
  const { validation } = Object(cell.config.data) as { validation?: ValidationFiles };
  const scales = findScales(names, scorePrefixes(validation));
  const rows = outcomes.map((outcome, i) => rowResult(outcome, scored[i]!, scales));
  const finished = rows.filter(({ runs }) => runs.length > 0);
  return {
    task: cell.task,
    data: dataName(facts),
    model: modelName(facts),
    baseDtype: facts.base_dtype,
    rule: { ...rule, text: ruleText(rule) },
    common: commonSettings(allFacts),
    scores: [...names],
    scales,
    averages: computeAverages(outcomes),
    rows: finished,
    tests: pairTests(finished, names[0]!, rule.greaterIsBetter),
    remarks: remarksOn(outcomes, rows, names[0]!),
  };
}

function computeAverages(outcomes: readonly CellOutcome[]): Record<string, string> {
  const averages = outcomes.flatMap(({ records }) => records.map(({ start }) => start?.averages ?? {}));
  return Object.fromEntries(
    Object.entries(averages[0] ?? {}).filter(([name, average]) =>
      averages.every((other) => other[name] === average),
    ),
  );
}

function runResult(record: RunRecord, rule: ScoringRule, { scores: names }: Cell): StoredResult {
  const { facts, finish, start } = record;
  const scored = scoredBy(record, rule);
  const scores = Object.fromEntries(scored.scores);
  const parts = Object.keys(scores).filter(
    (name) => name === rule.metric || name.endsWith(withoutSet(rule.metric)),
  );
  if (names?.includes(MEAN)) scores[MEAN] = mean(parts.map((name) => scores[name]!));
  const minutes = (finish?.train_runtime ?? Number.NaN) / 60 / (start?.num_train_epochs ?? Number.NaN);
  const memoryMb = runMemoryMb(record);
  const parameters = finalParameters(record);
  if (names?.includes('epoch_minutes'))
    Object.assign(scores, { epoch_minutes: minutes, memory_gb: (memoryMb ?? Number.NaN) / 1000 });
  return {
    seed: facts.seed,
    steps: finish?.step ?? record.step,
    scores,
    parameters: parameters === 0 ? start?.trainable_parameters : parameters,
    seconds: finish?.train_runtime,
    memoryMb,
    oneClass: predictsOneClass(scored.confusion) || undefined,
  };
}

/** The part of a score's name that is equal for all evaluation sets: `_accuracy` for `matched_accuracy`. */
function withoutSet(metric: string): string {
  return `_${metric.split('_').at(-1)}`;
}

function rowResult(
  { cell, choice, tried, records, of, comparedWith }: CellOutcome,
  runs: readonly StoredResult[],
  scales: Readonly<Record<string, number>>,
): RowResult {
  const isPapers = records.every(({ start }) => {
    const examples = start?.train_examples ?? 0;
    const { count, least } = cell.paperExamples ?? { count: 0, least: true };
    return least ? examples >= count : examples === count;
  });
  const scoreOf = (name: string): RowScore => {
    const values = runs.map(({ scores }) => scores[name] ?? Number.NaN);
    const paper = isPapers ? cell.paper?.[name] : undefined;
    return {
      ...interval(values),
      deviation: values.length > 1 ? Math.sqrt(variance(values)) : undefined,
      paper: paper === undefined ? undefined : paper / scales[name]!,
    };
  };
  return {
    row: cell.row,
    settings: cell.settings,
    choice: choice && settingsText(choice) !== '' ? choice : undefined,
    tried: cell.grid.length > 1 ? tried : [],
    runs: [...runs],
    of,
    scores: mapValues(scales, (_, name) => scoreOf(name)),
    parameters: intervalOver(runs, ({ parameters }) => parameters),
    seconds: intervalOver(runs, ({ seconds }) => seconds),
    memoryMb: intervalOver(runs, ({ memoryMb }) => memoryMb),
    comparedWith,
  };
}

/**
 * The factors by which scores are multiplied for printing. Only built-in scores that are shares are printed in percent.
 *
 * @param prefixes of the names of built-in scores, one for each validation set
 */
export function findScales(names: readonly string[], prefixes: readonly string[]): Record<string, number> {
  const isShare = (name: string) =>
    name === MEAN ||
    prefixes.some((prefix) => {
      const score = name.slice(prefix.length);
      return name.startsWith(prefix) && Object.hasOwn(SCORES, score) && scoreDefinition(score)?.isShare;
    });
  return Object.fromEntries(names.map((name) => [name, isShare(name) ? 100 : 1]));
}

/** The settings with equal values in all runs, by dotted keys, without local paths. */
function commonSettings(facts: readonly RunSummary[]): Settings {
  const [first = [], ...others] = facts.map(listShownValues);
  const maps = others.map((values) => new Map(values));
  return Object.fromEntries(
    first.filter(([key, value]) =>
      maps.every((map) => JSON.stringify(map.get(key)) === JSON.stringify(value)),
    ),
  );
}
