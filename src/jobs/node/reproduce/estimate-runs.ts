import type { ReproductionRun } from '../../../recipes/reproduction.ts';
import { parseRunConfig } from '../../../run/config/parse-run-config.ts';
import { measureBases } from '../calibration/measure-bases.ts';
import { plan } from '../plan.ts';

/** What to expect of the runs of a row. */
export interface RowEstimate {
  /** The first of its runs. */
  run: ReproductionRun;
  runs: number;
  steps: number;
  /** Of one run on this machine; undefined where the measurement failed. */
  seconds?: number;
  failure?: string;
}

/**
 * Measures a run of each row for some seconds, in a process of its own, for the time that all of them take.
 *
 * @param onRow told of each row when it is measured
 * @throws UserError as the runs would, and the signal's reason when it is aborted
 */
export async function estimateRuns(
  runs: readonly ReproductionRun[],
  onRow: (row: RowEstimate) => void,
  signal?: AbortSignal,
): Promise<void> {
  const rows = new Map<string, ReproductionRun[]>();
  for (const run of runs) {
    rows.set(run.row, [...(rows.get(run.row) ?? []), run]);
  }
  for (const own of rows.values()) {
    const config = parseRunConfig(own[0].config, own[0].name);
    const { steps, bases } = await plan(config);
    const base = bases.filter(({ dtype }) => dtype === config.base_dtype);
    const [{ measured, failure }] = await measureBases(config, base, { signal });
    onRow({ run: own[0], runs: own.length, steps, seconds: measured?.runSeconds, failure });
  }
}
