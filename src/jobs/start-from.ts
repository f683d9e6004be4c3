import type { StoredAdapter } from '../formats/adapters/stored-adapter.ts';
import { continuedConfig } from '../run/config/continued-config.ts';
import type { ParsedConfig } from '../run/config/run-config.ts';
import { UserError } from '../support/user-error.ts';
import { fittingBase } from '../trained/fitting-base.ts';
import type { Notes } from '../trained/notes.ts';
import type { StartingAdapter } from './begin-run.ts';

/**
 * Completes the config of a run that starts from an adapter.
 *
 * @throws UserError for an adapter of another method or task, and for config keys that contradict it
 */
export function startFrom<Config extends ParsedConfig>(
  userConfig: Config,
  stored: StoredAdapter,
  notes: Notes | undefined,
): { config: Config; start: StartingAdapter } {
  const config = continuedConfig(userConfig, stored);
  if (notes && notes.task !== config.task) {
    const got = config.task;
    throw new UserError({ key: 'task', expected: `${notes.task}, the task of the adapter`, got });
  }
  fittingBase(notes, config.base_dtype, `adapter: ${config.adapter}`);
  return { config, start: { stored, notes } };
}
