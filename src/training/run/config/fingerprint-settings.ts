import { leaves } from '../../../support/options.ts';
import { heldOutShare } from '../../../tasks/data-files.ts';
import type { RunConfig } from './run-config.ts';

/** Keys that do not affect training: places of files, where and how it is computed, and when something is reported. */
const WITHOUT_EFFECT = {
  config: ['output', 'device', 'threads', 'defaults'],
  data: ['train'],
  training: [
    // Its results are bit for bit the same.
    'gradient_checkpointing',
    'logging_steps',
    'log_importance',
    'report_to',
    'save_steps',
    'save_total_limit',
    'eval_strategy',
    'eval_steps',
    'stop_at_step',
  ],
} as const;

/** All config values that affect training, as JSON, by dotted key. */
export function fingerprintSettings(config: RunConfig): Map<string, string> {
  const { data, training } = config;
  // Without a validation file, the held-out share determines the training rows.
  const isSplit = heldOutShare(data.validation) !== undefined;
  const values = leaves({
    ...omitKeys(config, WITHOUT_EFFECT.config),
    data: omitKeys(data, isSplit ? WITHOUT_EFFECT.data : [...WITHOUT_EFFECT.data, 'validation']),
    training: omitKeys(training, WITHOUT_EFFECT.training),
  });
  // A key that is undefined is not set.
  const set = values.filter(([, value]) => value !== undefined);
  return new Map(set.map(([key, value]) => [key, JSON.stringify(value)]));
}

function omitKeys(section: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(section).filter(([key]) => !keys.includes(key)));
}
