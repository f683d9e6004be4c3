import { methodOf } from '../run/config/method-of.ts';
import type { RunConfig } from '../run/config/run-config.ts';
import { UserError } from '../support/user-error.ts';
import type { TunableModel } from '../tuners/tuner.ts';

/** Throws a UserError for a model that the config's method cannot train. */
export function assertFits(config: Pick<RunConfig, 'method' | 'task'>, model: TunableModel): void {
  const needed = methodOf(config).definition.needs?.(model);
  if (needed === undefined) return;
  const { method, task } = config;
  throw new UserError({
    key: 'method',
    fault: `is ${method}, which needs ${needed}, got ${model.definition.modelType} for ${task}`,
    hint: 'Choose another model, task or method.',
  });
}
