import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { engineVersion } from '../../../engine/runtime/node/create-session.ts';
import { readText } from '../../../input/formats/node/read-text.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { programVersion } from '../../../support/node/process-status.ts';
import { PROGRAM } from '../../../support/program.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { readRunRecord } from '../../report/node/read-run-record.ts';
import { writeReport } from '../../report/node/write-report.ts';
import {
  type Cell,
  type Experiment,
  type ExperimentRun,
  finalRun,
  shareText,
  tuningRun,
} from '../experiment.ts';
import { bestRows } from '../results/best-rows.ts';
import { taskFigures } from '../results/figures.ts';
import { averages, type ExperimentResults, resultsCsv, resultsLatex } from '../results/main-table.ts';
import { resultsMarkdown } from '../results/markdown.ts';
import { type CellOutcome, type TaskResult, taskResult } from '../results/results.ts';
import { scoringRule } from '../scoring-rule.ts';
import { choosing, filesBeside, hasLeftFailure, isFinished } from './run-experiment.ts';

/**
 * Writes the results of an experiment's finished runs, including those of other shards: `table.md`,
 * `table.json`, `table.tex`, `table.csv`, figures as SVG, `report.html`, and the configs of the best rows if the
 * experiment chooses them. Undefined if no run is finished.
 */
export function writeResults(experiment: Experiment): { markdown: string; best: string[] } | undefined {
  const { output, title, seeds } = experiment;
  const outcomes = experiment.cells.map((cell) => outcomeOf(experiment, cell));
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
  const best = experiment.choosesRow ? bestOfTasks(experiment, tasks) : [];
  const versions = {
    [PROGRAM]: programVersion(),
    'ONNX Runtime': engineVersion(),
    Node: process.versions.node,
  };
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
    ...(experiment.average && { average: withPaper(averages(tasks), experiment.paperAverages ?? {}) }),
  };
  const markdown = resultsMarkdown(results);
  const finished = outcomes.flatMap(({ runs }) => runs.filter(isFinished));
  atomicWrite(join(output, 'table.md'), markdown);
  atomicWrite(join(output, 'table.json'), `${JSON.stringify(results, null, 2)}\n`);
  atomicWrite(join(output, 'table.tex'), resultsLatex(results));
  atomicWrite(join(output, 'table.csv'), resultsCsv(results));
  for (const [name, svg] of tasks.flatMap((task) => [...taskFigures(task)]))
    atomicWrite(join(output, name), svg);
  writeReport(
    finished.map(({ config }) => config.output as string),
    join(output, 'report.html'),
  );
  for (const { path, config } of best) atomicWrite(path, stringify(config, { aliasDuplicateObjects: false }));
  return { markdown, best: best.map(({ path }) => path) };
}

/** The best rows, each with the file of the config that trains it on all training rows. */
function bestOfTasks(experiment: Experiment, tasks: readonly TaskResult[]) {
  const { output } = experiment;
  return tasks.flatMap((task) =>
    bestRows(task, experiment).map(({ name, text, config }) => {
      const own = tasks.length > 1 ? `${name}-${task.task.replaceAll('/', '-')}` : name;
      const path = join(output, `${own}.yaml`);
      return { text, path, config: { ...config, output: join(output, own) } };
    }),
  );
}

function withPaper(means: Record<string, { mean?: number }>, paper: Readonly<Record<string, number>>) {
  return Object.fromEntries(
    Object.entries(means).map(([row, value]) => [
      row,
      { ...value, ...(row in paper && { paper: paper[row] }) },
    ]),
  );
}

function outcomeOf(experiment: Experiment, cell: Cell): CellOutcome & { runs: ExperimentRun[] } {
  const { seeds } = experiment;
  const { choice, tried } = choosing(experiment, cell, (run) => hasLeftFailure(experiment, run));
  const runs = choice ? seeds.map((seed) => finalRun(experiment, cell, choice, seed)) : [];
  const tuning = cell.grid.length < 2 ? [] : cell.grid.map((_, i) => tuningRun(experiment, cell, i, 100));
  return {
    cell,
    choice,
    tried,
    runs,
    of: seeds.length,
    records: runs.filter(isFinished).map(({ config, name }) => readRunRecord(config.output as string, name)),
    failures: [...tuning, ...runs].flatMap((run) => {
      const { failure } = filesBeside(experiment.output, run.name);
      if (!existsSync(failure) || isFinished(run)) return [];
      return [{ name: run.name, message: readText(failure, "a run's failure") }];
    }),
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
