import { parseRunConfig, type RunConfigInput } from '../../run/config/run-config.ts';
import { describeAs } from '../../trained/node/load-model.ts';
import { type Plan, planRun } from '../plan/plan.ts';
import { readRun } from './read-run.ts';

/**
 * What a run of this config would train and take: from config.json, the tokenizer and the data; no weight is read.
 *
 * @throws UserError as the run would
 */
export async function plan(given: RunConfigInput): Promise<Plan> {
  const { config, start, folder, build, encode } = await readRun(parseRunConfig(given, 'config'));
  return planRun(config, describeAs(folder, build), encode(new Date()), start?.stored);
}
