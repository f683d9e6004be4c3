import { existsSync } from 'node:fs';
import { moduleOfMethod } from '../../../methods/tuners/registry.ts';
import { UserError } from '../../../support/user-error.ts';
import { moduleOfTask } from '../../../tasks/registry.ts';
import { fingerprintSettings } from '../config/fingerprint-settings.ts';
import type { RunConfig } from '../config/run-config.ts';
import { fingerprintOf } from '../same-run.ts';
import { startedWith } from './begun-config.ts';
import type { runFiles } from './run-folder.ts';

/** The data that identifies a run. */
export interface RunIdentity {
  config: RunConfig;
  labels: readonly string[];
  digests: readonly string[];
}

/**
 * Checks that a run may continue from a checkpoint.
 *
 * @param fingerprint the checkpoint's fingerprint
 * @param planned the config with the planned length, if the length has changed
 * @throws UserError that names the differences
 */
export function assertOwnCheckpoint(
  fingerprint: string,
  { config, labels, digests }: RunIdentity,
  files: ReturnType<typeof runFiles>,
  { planned = config, ownMetrics }: { planned?: RunConfig; ownMetrics?: readonly string[] } = {},
): void {
  if (fingerprint === fingerprintOf(planned, labels, digests)) return;
  throw otherRun(config, files, ownMetrics);
}

/** The settings that differ between a config and the run in a folder, with both values. */
export function differencesFrom(
  config: RunConfig,
  { config: path }: ReturnType<typeof runFiles>,
  ownMetrics?: readonly string[],
): string[] {
  if (!existsSync(path)) return [];
  const before = fingerprintSettings(startedWith(path, ownMetrics));
  const now = fingerprintSettings(config);
  return [...new Set([...before.keys(), ...now.keys()])]
    .filter((key) => before.get(key) !== now.get(key))
    .map((key) => `${key} is ${now.get(key) ?? 'not set'} (was ${before.get(key) ?? 'not set'})`);
}

/** The error for resuming a run with other settings or data. It names the differences. */
export function otherRun(
  config: RunConfig,
  files: ReturnType<typeof runFiles>,
  ownMetrics?: readonly string[],
): UserError {
  const differences = differencesFrom(config, files, ownMetrics);
  const contents = ['the data files', 'the model files (weights, config.json and those for its inputs)'];
  if (!existsSync(files.config)) contents.unshift('the config');
  if (config.adapter !== undefined) contents.push('the adapter');
  if (moduleOfMethod(config.method) ?? moduleOfTask(config.task))
    contents.push('the modules that define its method and task');
  return new UserError({
    where: `output: ${config.output}`,
    fault:
      differences.length > 0
        ? `holds a run with other settings: ${differences.join(', ')}`
        : `holds a run with other content in ${contents.join(' or ')}`,
    hint: 'Resume with its own config.yaml, or choose another output folder.',
    code: 'already_exists',
  });
}
