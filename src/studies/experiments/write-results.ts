import { stringify } from 'yaml';
import { type FolderFiles, readText } from '../../input/formats/files.ts';
import { addUp } from '../../support/numbers.ts';
import { mapValues } from '../../support/options.ts';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import { readRunRecord } from '../report/run/read-run-record.ts';
import {
  type Cell,
  cellMethod,
  type Experiment,
  type ExperimentRun,
  finalRun,
  shareText,
  wholeTuningRuns,
} from './experiment.ts';
import { averages, type ExperimentResults } from './results/main-table.ts';
import { resultsMarkdown } from './results/markdown.ts';
import { type CellOutcome, type RowResult, type TaskResult, taskResult } from './results/results.ts';
import { type ExperimentMachine, filesBeside, findChoice, isFinished } from './run-experiment.ts';
import { pickBest, scoringRule } from './scoring-rule.ts';
import { type Config, mergeSettings, settingsText } from './settings.ts';

/**
 * Writes the results of an experiment's finished runs, including those of other shards: `table.md`,
 * `table.json`, `report.html`, and the configs of the best rows if the experiment chooses them. Undefined if no run is
 * finished.
 */
export function writeResults(
  machine: ExperimentMachine,
  experiment: Experiment,
): { markdown: string; best: string[] } | undefined {
  const { output, title, seeds } = experiment;
  const { versions } = machine;
  const folder = machine.folder(output);
  const outcomes = experiment.cells.map((cell) => readOutcome(machine, experiment, cell));
  const tasks = [...new Set(experiment.cells.map(({ task }) => task))].flatMap((task): TaskResult[] => {
    const taskOutcomes = outcomes.filter(({ cell }) => cell.task === task);
    const records = taskOutcomes.flatMap((outcome) => outcome.records);
    if (records.length === 0) return [];
    const { training } = parseRunConfig(
      { ...taskOutcomes[0]!.cell.config, output },
      taskOutcomes[0]!.cell.row,
    );
    return [taskResult(taskOutcomes, scoringRule(training, records))];
  });
  if (tasks.length === 0) return undefined;
  const best = experiment.choosesRow ? bestOfTasks(folder, experiment, tasks) : [];
  const results: ExperimentResults = {
    title,
    about: [
      ...experiment.about,
      ...best.map(({ text }) => text),
      ...tuningText(experiment),
      `Each row: ${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`,
      Object.entries(versions)
        .map((version) => version.join(' '))
        .join(', '),
    ],
    versions,
    seeds,
    tasks,
    average: experiment.average
      ? mapValues(averages(tasks), (value, row) => ({ ...value, paper: experiment.paperAverages?.[row] }))
      : undefined,
  };
  const markdown = resultsMarkdown(results);
  const finished = outcomes.flatMap(({ runs }) => runs.filter((run) => isFinished(machine, run)));
  folder.write('table.md', markdown);
  folder.write('table.json', `${JSON.stringify(results, null, 2)}\n`);
  machine.report(
    finished.map(({ config }) => config.output),
    folder.path('report.html'),
  );
  for (const { file, config } of best)
    folder.write(file, stringify(config, { aliasDuplicateObjects: false }));
  return { markdown, best: best.map(({ file }) => folder.path(file)) };
}

/** The best rows, each with the file of the config that trains it on all training rows. */
function bestOfTasks(folder: FolderFiles, experiment: Experiment, tasks: readonly TaskResult[]) {
  return tasks.flatMap((task) =>
    bestRows(task, experiment).map(({ name, text, config }) => {
      const own = tasks.length > 1 ? `${name}-${task.task.replaceAll('/', '-')}` : name;
      return { text, file: `${own}.yaml`, config: { ...config, output: folder.path(own) } };
    }),
  );
}

/** The best row of a method. */
interface BestRow {
  row: RowResult;
  /** The name of its config and of its folder: `best`, or `best-METHOD` if there are several methods. */
  name: string;
  /** The config that trains it on all training rows. */
  config: Config;
  /** A sentence about the choice. */
  text: string;
}

/**
 * The best row of each method on a task. Methods need different settings, so a single best one would favor one method.
 * Rows with all of their runs are preferred, because a mean of few seeds can be high by chance. Equal scores are
 * ordered by loss.
 */
export function bestRows(
  { task, rows, rule }: Pick<TaskResult, 'task' | 'rows' | 'rule'>,
  experiment: Pick<Experiment, 'cells' | 'seeds' | 'tuning'>,
): BestRow[] {
  const { metric, greaterIsBetter } = rule;
  const scored = rows.filter(({ scores }) => !Number.isNaN(scores[metric]?.mean ?? Number.NaN));
  const cells = new Map(
    experiment.cells.filter((cell) => cell.task === task).map((cell) => [cell.row, cell]),
  );
  const ownMethod = ({ row }: RowResult) => cellMethod(cells.get(row)!);
  const methods = [...new Set(scored.map(ownMethod))];
  const planned = cells.size * experiment.seeds.length;
  const missing = planned - addUp(rows, ({ runs }) => runs.length);
  const sofar = missing > 0 ? ` so far (${missing} of ${planned} runs are not finished)` : '';
  const by = experiment.tuning.heldOut > 0 ? 'held-out training rows' : 'data.validation';
  return methods.map((method) => {
    const own = scored.filter((row) => ownMethod(row) === method);
    const whole = own.filter(({ runs, of }) => runs.length === of);
    const candidates = whole.length > 0 ? whole : own;
    const tried = candidates.map(({ scores }) => ({
      score: scores[metric]!.mean,
      loss: scores.loss?.mean ?? 0,
    }));
    const row = candidates[pickBest(new Map(tried.entries()), greaterIsBetter, 1)[0]!]!;
    const isTied = own.some(
      (other) => other !== row && other.scores[metric]!.mean === row.scores[metric]!.mean,
    );
    const whose = methods.length > 1 ? ` ${method}` : '';
    const tie = isTied ? ', of equal scores the lowest loss' : '';
    const settings = settingsText({ ...row.settings, ...row.choice }) || 'its one combination';
    const cell = cells.get(row.row)!;
    return {
      row,
      config: mergeSettings(cell.whole ?? cell.config, row.choice ?? {}),
      name: methods.length > 1 ? `best-${method}` : 'best',
      text: `Best${whose} by ${metric} on ${by}${tie}${sofar}: ${settings}`,
    };
  });
}

function readOutcome(
  machine: ExperimentMachine,
  experiment: Experiment,
  cell: Cell,
): CellOutcome & { runs: ExperimentRun[] } {
  const { seeds, output } = experiment;
  const isDone = (run: ExperimentRun) => isFinished(machine, run);
  const filesOf = ({ name }: ExperimentRun) => filesBeside(machine, output, name);
  const readFailure = (run: ExperimentRun) => {
    const { folder, failure } = filesOf(run);
    return readText(folder, failure, "a run's failure");
  };
  const hasFailed = (run: ExperimentRun) => filesOf(run).folder.has(filesOf(run).failure);
  const { choice, tried } = findChoice(machine, experiment, cell, hasFailed);
  const runs = choice ? seeds.map((seed) => finalRun(experiment, cell, choice, seed)) : [];
  const tuning = wholeTuningRuns(experiment, cell);
  return {
    cell,
    choice,
    tried,
    runs,
    of: seeds.length,
    records: runs
      .filter(isDone)
      .map(({ config, name }) => readRunRecord(machine.folder(config.output), name)),
    // The log of a run is read only if it has failed before.
    failures: [...tuning, ...runs]
      .filter((run) => hasFailed(run) && !isDone(run))
      .map((run) => ({ name: run.name, message: readFailure(run) })),
    comparedWith: cell.comparedWith,
  };
}

function tuningText({ cells, tuning: { heldOut, seed, halving }, choosesRow }: Experiment): string[] {
  const most = Math.max(...cells.map(({ grid }) => grid.length));
  const where = heldOut > 0 ? `held-out training rows (${shareText(heldOut)})` : 'the validation set';
  if (choosesRow) return [`Scored on ${where}`];
  if (most < 2) return [];
  const how =
    halving.length > 0 ? `, and the worse half stopped after ${halving.join('% and ')}% of the run` : '';
  return [
    `Each row uses the best choice of its grid (at most ${most} choices, seed ${seed}) on ${where}${how}.`,
  ];
}
