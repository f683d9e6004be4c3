import type { StoredAdapter } from '../formats/adapters/stored-adapter.ts';
import { continuedConfig } from '../run/config/continued-config.ts';
import type { ParsedConfig } from '../run/config/run-config.ts';
import { UserError } from '../support/user-error.ts';
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
  if (notes?.base_dtype !== undefined && notes.base_dtype !== config.base_dtype) {
    throw new UserError({
      key: 'base_dtype',
      expected: `${notes.base_dtype}, because the adapter corrects the rounding of these weights`,
      got: config.base_dtype,
    });
  }
  return { config, start: { stored, notes } };
}
