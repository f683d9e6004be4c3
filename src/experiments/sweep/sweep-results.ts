import { peakMemoryMb } from '../../report/run/costs.ts';
import type { RunRecord } from '../../report/run/run-record.ts';
import { type Interval, interval, variance } from '../../stats/interval.ts';
import { DEFAULT_METHOD } from '../../tuners/registry.ts';
import { bestOf } from '../choose.ts';
import { type ScoringRule, scoresBy } from '../scoring-rule.ts';
import type { SweepRun } from './sweep-runs.ts';

/** The runs of a sweep that differ only in their seed. */
export interface SweepRow {
  method: string;
  /** The row's values of the varied settings (without the seed), by dotted keys. */
  settings: Readonly<Record<string, unknown>>;
  /** Folders of the finished runs. */
  runs: string[];
  /** Total number of runs. */
  of: number;
  /** Means over the finished runs, the main score first. */
  scores: Record<string, { mean: number; deviation?: number }>;
  /** Seconds of training. */
  seconds?: Interval;
  memoryMb?: Interval;
}

export interface SweepResults {
  /** The score that decides which row is best. */
  metric: string;
  /** How scores are averaged over classes. A score is only listed if all runs average it in the same way. */
  averages: Record<string, string>;
  /** Rows in the sweep's order. */
  rows: SweepRow[];
  /**
   * For each method with a score, its best row. Rows with all of their runs are preferred. Methods need
   * different settings, so a single best row would favour one method.
   */
  best: SweepRow[];
  /** Failed runs, with their messages. */
  failed: { name: string; message: string }[];
}

/** A run, and its record if it is finished. */
export interface RunOutcome extends SweepRun {
  record?: RunRecord;
  /** The error message, if the run failed. */
  failure?: string;
}

/** Summarises a sweep's finished runs. */
export function sweepResults(runs: readonly RunOutcome[], rule: ScoringRule): SweepResults {
  const { metric, greaterIsBetter } = rule;
  const groups = new Map<string, RunOutcome[]>();
  for (const run of runs) {
    const key = JSON.stringify(withoutSeed(run.settings));
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const rows = [...groups.values()].map((outcomes) => rowOf(outcomes, rule));
  const scored = rows.filter(({ scores }) => !Number.isNaN(scores[metric]?.mean ?? Number.NaN));
  const best = [...new Set(scored.map(({ method }) => method))].flatMap((method) => {
    const methodRows = scored.filter((row) => row.method === method);
    // With only some of the seeds, a mean can be high by chance.
    const whole = methodRows.filter(({ runs, of }) => runs.length === of);
    const candidates = whole.length > 0 ? whole : methodRows;
    const tried = candidates.map(({ scores }) => ({
      score: scores[metric]!.mean,
      loss: scores.loss?.mean ?? 0,
    }));
    return bestOf(new Map(tried.entries()), greaterIsBetter, 1).map((i) => candidates[i]!);
  });
  const failed = runs.flatMap(({ name, record, failure }) =>
    record || failure === undefined ? [] : [{ name, message: failure.trim() }],
  );
  return { metric, averages: averagesOf(runs), rows, best, failed };
}

function averagesOf(runs: readonly RunOutcome[]): SweepResults['averages'] {
  const told = runs.flatMap(({ record }) => (record ? [record.start?.averages ?? {}] : []));
  return Object.fromEntries(
    Object.entries(told[0] ?? {}).filter(([name, average]) => told.every((of) => of[name] === average)),
  );
}

function rowOf(outcomes: readonly RunOutcome[], rule: ScoringRule): SweepRow {
  const finished = outcomes.flatMap(({ record, config }) =>
    record ? [{ record, output: `${config.output}` }] : [],
  );
  const scores = finished.map(({ record }) => scoresBy(record, rule));
  const names = new Set([rule.metric, ...scores.flatMap((of) => [...of.keys()])]);
  const over = (value: (record: RunRecord) => number | undefined) => {
    const values = finished.map(({ record }) => value(record)).filter((of) => of !== undefined);
    return values.length > 0 ? interval(values) : undefined;
  };
  return {
    method: `${outcomes[0]!.config.method ?? DEFAULT_METHOD}`,
    settings: withoutSeed(outcomes[0]!.settings),
    runs: finished.map(({ output }) => output),
    of: outcomes.length,
    scores: Object.fromEntries(
      [...names].flatMap((name) => {
        const values = scores.map((of) => of.get(name) ?? Number.NaN);
        if (values.length === 0) return [];
        const deviation = values.length > 1 ? Math.sqrt(variance(values)) : undefined;
        return [[name, { mean: interval(values).mean, ...(deviation !== undefined && { deviation }) }]];
      }),
    ),
    seconds: over(({ finish }) => finish?.train_runtime),
    memoryMb: over(peakMemoryMb),
  };
}

function withoutSeed({ seed: _, ...settings }: Readonly<Record<string, unknown>>) {
  return settings;
}

/** Whether another row of the same method has the same score. Then the lower loss decided. */
export function isTied(row: SweepRow, { rows, metric }: SweepResults): boolean {
  const scoreOf = ({ scores }: SweepRow) => scores[metric]?.mean;
  return rows.some(
    (other) => other !== row && other.method === row.method && scoreOf(other) === scoreOf(row),
  );
}

/** The name of a best row's config and folder: `best`, or `best-METHOD` if there are several methods. */
export function bestName({ method }: SweepRow, { best }: SweepResults): string {
  return best.length > 1 ? `best-${method}` : 'best';
}
