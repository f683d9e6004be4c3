import { existsSync } from 'node:fs';
import { readYaml } from '../../../input/formats/node/read-text.ts';
import { UserError } from '../../../support/user-error.ts';
import { sectionKeys } from '../config/fill-in-defaults.ts';
import { parseRunConfig } from '../config/parse-run-config.ts';
import type { ParsedConfig, RunConfig } from '../config/run-config.ts';
import type { runFiles } from './run-folder.ts';

/** Reads the config.yaml of a run. */
export function startedWith(path: string, ownMetrics: readonly string[] | undefined): RunConfig {
  // A run's own config.yaml is complete.
  return parseRunConfig(readYaml(path, "the run's config"), path, ownMetrics) as RunConfig;
}

/**
 * The config of a resumed run. If the folder has a config.yaml, keys that are not set get the values from the run's
 * start.
 */
export function asBegun(
  config: ParsedConfig,
  { config: path }: ReturnType<typeof runFiles>,
  ownMetrics?: readonly string[],
): ParsedConfig {
  if (!existsSync(path)) return config;
  try {
    return keepChoices(config, startedWith(path, ownMetrics));
  } catch (error) {
    // A killed process may have written only half of it. If the run has checkpoints, they reveal a mismatch.
    if (error instanceof UserError) return config;
    throw error;
  }
}

/**
 * Returns the config of a resumed run. Values that it does not set are those that were chosen when the run started,
 * even if another version chose them.
 *
 * @param before the run's config.yaml
 */
export function keepChoices(resumed: ParsedConfig, before: RunConfig): ParsedConfig {
  const { method, training, data } = resumed;
  // An early stop is not kept. Each resume must request it again.
  const { stop_at_step: _, ...begun } = before.training;
  const isOpen = data.validation === undefined && training.eval_strategy === undefined;
  const section = (config: object) => (config as Record<string, Record<string, unknown> | undefined>)[method];
  const [current, kept] = [section(resumed), section(before)];
  const chosen = kept && sectionKeys(method).flatMap((key) => (key in kept ? [[key, kept[key]]] : []));
  return {
    ...resumed,
    data: {
      ...data,
      ...(isOpen && before.data.validation && { validation: before.data.validation }),
      ...(!('pooling' in data) && 'pooling' in before.data && { pooling: before.data.pooling }),
    },
    training: { ...begun, ...training },
    ...(current && { [method]: { ...Object.fromEntries(chosen ?? []), ...current } }),
  } as ParsedConfig;
}
