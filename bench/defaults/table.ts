import { readFileSync } from 'node:fs';
import { BASELINES } from './baseline-score.ts';
import { type CellResult, SETFIT } from './run-cell.ts';

/*
 * tsx bench/defaults/table.ts CELLS.jsonl
 *
 * Prints the table of docs/results/defaults.md from the lines of run.ts. A score is the mean over the seeds. Regret
 * is the difference between the best point of the sweep and the policy, over the same seeds.
 */

const cells: CellResult[] = readFileSync(process.argv[2] ?? 'runs/bench-defaults.jsonl', 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line));

/**
 * Manual settings that a user would try, for each method: learning rate 5e-3, alpha 32, batch 16, 8
 * epochs, 6 % warm-up, on all rows.
 */
const BY_HAND: Readonly<Record<string, string>> = { adalora: 'lr5e-3' };
const isBaseline = (arm: string) => BASELINES.some((name) => name === arm);
const groupOf = ({ task, rows, model, method }: CellResult) => JSON.stringify([model, method, rows, task]);
const mean = (scores: readonly number[]) => scores.reduce((sum, score) => sum + score, 0) / scores.length;

/** The mean score of an arm over the seeds; undefined if a seed is missing. */
function scoreOf(cells: readonly CellResult[], arm: string, seeds: readonly number[]): number | undefined {
  const found = cells.filter((cell) => cell.arm === arm && seeds.includes(cell.seed));
  return found.length < seeds.length || found.length === 0
    ? undefined
    : mean(found.map(({ score }) => score));
}

const shown = (score: number | undefined) => (score === undefined ? '' : score.toFixed(3).replace('0.', '.'));
const lines = [
  '| model | method | rows | task | majority | bag of words | probe | SetFit | PEFT | manual | policy | sweep | its best point | regret | seeds |',
  '|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|',
];
const regrets: number[] = [];
const trained = cells.filter(({ arm }) => !isBaseline(arm));
for (const group of [...new Set(trained.map(groupOf))].sort()) {
  const [model, method, rows, task] = JSON.parse(group) as [string, string, number, string];
  const ofGroup = trained.filter((cell) => groupOf(cell) === group);
  const baselines = cells.filter((cell) => cell.task === task && cell.rows === rows && isBaseline(cell.arm));
  const ofPolicy = ofGroup.filter(({ arm }) => arm === 'policy').map(({ seed }) => seed);
  const seeds = ofPolicy.length > 0 ? ofPolicy : [0];
  const points = [...new Set(ofGroup.map(({ arm }) => arm))]
    .filter((arm) => arm.startsWith('lr'))
    .flatMap((arm) => {
      const score = scoreOf(ofGroup, arm, seeds);
      return score === undefined ? [] : [{ arm, score }];
    })
    .sort((a, b) => b.score - a.score);
  const policy = scoreOf(ofGroup, 'policy', seeds);
  const probes = ofGroup.flatMap(({ arm, probe }) =>
    arm === 'policy' && probe !== undefined ? [probe] : [],
  );
  const regret = policy === undefined || points.length === 0 ? undefined : 100 * (points[0]!.score - policy);
  if (regret !== undefined) regrets.push(regret);
  lines.push(
    `| ${[
      ...[model, method, rows, task],
      ...BASELINES.map((arm) => shown(scoreOf(baselines, arm, seeds))),
      shown(probes.length > 0 ? mean(probes) : undefined),
      ...[SETFIT, 'peft', BY_HAND[method] ?? '', 'policy'].map((arm) => shown(scoreOf(ofGroup, arm, seeds))),
      ...[shown(points[0]?.score), points[0] ? `${points[0].arm} of ${points.length}` : ''],
      ...[regret?.toFixed(1) ?? '', seeds.length],
    ].join(' | ')} |`,
  );
}
console.log(lines.join('\n'));
if (regrets.length > 0)
  console.log(
    `\nMean regret ${mean(regrets).toFixed(1)} points over ${regrets.length} rows of the table, the largest ${Math.max(...regrets).toFixed(1)}.`,
  );
