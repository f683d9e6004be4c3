import { BASE_DTYPES, type BaseDtype } from '../../bases/base-dtype.ts';
import { baseFormat } from '../../bases/base-format.ts';
import type { TaskModel } from '../../objectives/task-model.ts';
import { crossCheck } from '../../run/config/cross-checks.ts';
import { methodOf } from '../../run/config/method-of.ts';
import type { RunConfig } from '../../run/config/run-config.ts';

/**
 * The base types that a run can use: those that its method and settings allow and that would change some weight,
 * and the config's own type.
 */
export function allowedBases(config: RunConfig, model: TaskModel): BaseDtype[] {
  const { method, base_dtype } = config;
  const { settings } = methodOf(config);
  const changesWeights = (dtype: BaseDtype) =>
    dtype === 'float32' || baseFormat(model, dtype).base.paths.size > 0;
  return BASE_DTYPES.filter(
    (dtype) =>
      dtype === base_dtype ||
      (crossCheck({ method, settings, base_dtype: dtype }).length === 0 && changesWeights(dtype)),
  );
}
