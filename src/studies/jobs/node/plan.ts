import type { DownloadProgress } from '../../../input/formats/byte-source.ts';
import { assertOptions, FUNCTION, type OptionTypes } from '../../../support/options.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import type { RunConfigInput } from '../../../training/run/config/run-config.ts';
import { encodeRun } from '../encode-run.ts';
import { type Plan, planRun } from '../plan/plan.ts';
import { namedRows } from '../rows-in-memory.ts';
import { readRun } from './read-run.ts';
import { withAllErrors } from './with-all-errors.ts';

export interface PlanOptions {
  /** Called while files are downloaded from the Hub. */
  onDownload?: (progress: DownloadProgress) => void;
}

const PLAN_OPTIONS: OptionTypes<PlanOptions> = { onDownload: FUNCTION };

/** Plans a run, as the main entry describes. */
export async function plan(userConfig: RunConfigInput, options: PlanOptions = {}): Promise<Plan> {
  assertOptions('plan', options, PLAN_OPTIONS);
  const { config: named, texts, metrics } = await namedRows(userConfig);
  const parse = () => parseRunConfig(named, 'config', Object.keys(metrics));
  const run = await readRun(await withAllErrors(parse, undefined, Object.keys(texts)), options.onDownload, {
    texts,
  });
  const { config, chosen, start, model } = run;
  return planRun(config, model(), encodeRun(run, new Date()), start?.stored, chosen);
}
