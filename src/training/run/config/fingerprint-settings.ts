import { leaves } from '../../../support/options.ts';
import { heldOutShare } from '../../../tasks/data-files.ts';
import type { RunConfig } from './run-config.ts';

/** Keys that do not affect training: places of files, where and how it is computed, and when something is reported. */
const WITHOUT_EFFECT: readonly string[] = [
  'output',
  'device',
  'threads',
  'defaults',
  'data.train',
  // Its results are bit for bit the same.
  'training.gradient_checkpointing',
  'training.logging_steps',
  'training.log_importance',
  'training.report_to',
  'training.save_steps',
  'training.save_total_limit',
  'training.eval_strategy',
  'training.eval_steps',
  'training.stop_at_step',
];

/** Whether a key, by its dotted name, may affect what a run learns. */
export function hasEffect(key: string): boolean {
  return !WITHOUT_EFFECT.includes(key);
}

/** All config values that affect training, as JSON, by dotted key. */
export function fingerprintSettings(config: RunConfig): Map<string, string> {
  // Without a validation file, the held-out share determines the training rows.
  const isSplit = heldOutShare(config.data.validation) !== undefined;
  const isOther = (key: string) => !isSplit && /^data\.validation(\.|$)/.test(key);
  // A key that is undefined is not set.
  const values = leaves(config).filter(
    ([key, value]) => value !== undefined && hasEffect(key) && !isOther(key),
  );
  return new Map(values.map(([key, value]) => [key, JSON.stringify(value)]));
}
