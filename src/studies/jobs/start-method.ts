import type { StoredAdapter } from '../../input/formats/adapters/stored-adapter.ts';
import type { MethodRun } from '../../methods/tuners/method-run.ts';
import type { TunableModel } from '../../methods/tuners/tuner.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import type { RunConfig } from '../../training/run/config/run-config.ts';

/**
 * Sets up the method of a run of `totalSteps` optimizer steps. To start from an adapter, pass it as `start`;
 * then `config` must come from `continuedConfig`.
 *
 * @returns the method, and its initial values if it starts from an adapter
 */
export function startMethod(
  config: RunConfig,
  model: TunableModel,
  totalSteps: number,
  start?: StoredAdapter,
): { run: MethodRun; values?: Float32Array } {
  const { definition, settings } = readMethod(config);
  if (!start) return { run: definition.start(model, settings, totalSteps, config.seed) };
  if (!definition.continues) throw new Error(`no adapter is continued with ${config.method}`);
  return definition.continues.start(model, settings, start, `adapter: ${config.adapter}`);
}
