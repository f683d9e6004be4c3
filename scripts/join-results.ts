import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atomicWrite } from '../src/input/store/node/atomic-write.ts';
import type { ExperimentResults } from '../src/studies/experiments/results/main-table.ts';
import { resultsMarkdown } from '../src/studies/experiments/results/markdown.ts';
import { findScales, pairTests, type TaskResult } from '../src/studies/experiments/results/results.ts';

/*
 * Adds the rows of other comparisons of the same task to a table, when their run folders are on different machines:
 *
 *     npx tsx scripts/join-results.ts docs/results/mrpc runs/results/mrpc-more...
 *
 * Writes table.json and table.md of the first folder again. The first table that has a row counts. If another one has it
 * too, the scores of a seed must be equal to 0.02.
 */

/** Two machines give slightly different products, and so a few other predictions: 0.02 are 8 of 408 rows of MRPC. */
const TOLERANCE = 0.02;

const [target, ...others] = process.argv.slice(2);
if (!target || others.length === 0) throw new Error('Usage: join-results.ts FOLDER OTHER...');
const read = (folder: string): ExperimentResults => {
  const results = JSON.parse(readFileSync(join(folder, 'table.json'), 'utf8')) as ExperimentResults;
  // Older tables have no scales. Their tasks have one validation set.
  const tasks = results.tasks.map((task) => ({
    ...task,
    scales: task.scales ?? findScales(task.scores, ['']),
  }));
  return { ...results, tasks };
};
const results = others.map(read).reduce(joined, read(target));
atomicWrite(join(target, 'table.json'), `${JSON.stringify(results, null, 2)}\n`);
atomicWrite(join(target, 'table.md'), resultsMarkdown(results));

function joined(to: ExperimentResults, from: ExperimentResults): ExperimentResults {
  same('seeds', to.seeds, from.seeds);
  same('versions', to.versions, from.versions);
  same(
    'tasks',
    to.tasks.map(({ task }) => task),
    from.tasks.map(({ task }) => task),
  );
  return { ...to, tasks: to.tasks.map((task, i) => joinedTask(task, from.tasks[i]!)) };
}

function joinedTask(to: TaskResult, from: TaskResult): TaskResult {
  for (const key of ['data', 'model', 'rule', 'scores'] as const) same(key, to[key], from[key]);
  const has = (row: string) => to.rows.find((own) => own.row === row);
  for (const { row, runs } of from.rows)
    for (const { seed, scores } of runs) {
      const own = has(row)?.runs.find((run) => run.seed === seed)?.scores[to.rule.metric];
      const differs = own !== undefined && Math.abs(own - scores[to.rule.metric]!) > TOLERANCE;
      if (differs) throw new Error(`${row}, seed ${seed}: ${own} and ${scores[to.rule.metric]}`);
    }
  const comparedWith = to.rows.find((row) => row.comparedWith)?.comparedWith;
  const rows = [
    ...to.rows,
    ...from.rows.filter(({ row }) => !has(row)).map((row) => ({ ...row, comparedWith })),
  ];
  const isNew = (remark: string) => !to.rows.some(({ row }) => remark.startsWith(`${row}:`));
  return {
    ...to,
    common: Object.fromEntries(
      Object.entries(to.common).filter(
        ([key, value]) => JSON.stringify(from.common[key]) === JSON.stringify(value),
      ),
    ),
    averages: { ...from.averages, ...to.averages },
    rows,
    tests: pairTests(rows, to.scores[0]!, to.rule.greaterIsBetter),
    remarks: [...to.remarks, ...from.remarks.filter(isNew)],
  };
}

function same(name: string, one: unknown, other: unknown): void {
  if (JSON.stringify(one) !== JSON.stringify(other))
    throw new Error(`The tables differ in ${name}: ${JSON.stringify(one)} and ${JSON.stringify(other)}`);
}
