import { assertOptions, FUNCTION } from '../../../support/options.ts';
import type { RunConfigInput } from '../../../training/run/config/run-config.ts';
import type { OnDownload } from '../machine.ts';
import { type Plan, planAsked } from '../plan/plan.ts';
import { askedRun } from '../rows-in-memory.ts';
import { THIS_NODE } from './machine.ts';

export interface PlanOptions {
  /** Called while files are downloaded from the Hub. */
  onDownload?: OnDownload;
}

/** Plans a run, as the main entry describes. */
export async function plan(config: RunConfigInput, options: PlanOptions = {}): Promise<Plan> {
  assertOptions('plan', options, { onDownload: FUNCTION });
  return planAsked(THIS_NODE, await askedRun(THIS_NODE, config), options.onDownload);
}
