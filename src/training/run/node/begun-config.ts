import { existsSync } from 'node:fs';
import { readYaml } from '../../../input/formats/node/read-text.ts';
import { UserError } from '../../../support/user-error.ts';
import { parseRunConfig } from '../config/parse-run-config.ts';
import { keepChoices } from '../config/resolve-config.ts';
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
