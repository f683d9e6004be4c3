import { existsSync } from 'node:fs';
import type { TextFile } from '../../data/text-file.ts';
import { readYaml } from '../../formats/node/read-text.ts';
import { UserError } from '../../support/user-error.ts';
import { moduleOfTask } from '../../tasks/registry.ts';
import { moduleOfMethod } from '../../tuners/registry.ts';
import { fingerprintSettings } from '../config/fingerprint-settings.ts';
import type { RunConfig } from '../config/run-config.ts';
import { fingerprintOf } from '../same-run.ts';
import { startedWith } from './begun-config.ts';
import { keysOf, otherDigests, otherRows } from './earlier-version.ts';
import type { runFiles } from './run-folder.ts';

/** The data that identifies a run. */
export interface RunIdentity {
  config: RunConfig;
  labels: readonly string[];
  /** All files that the run reads. */
  files: readonly (string | TextFile)[];
  digests: readonly string[];
}

/**
 * Checks that a run may continue from a checkpoint. Keys that were added to adalora since must have their defaults.
 *
 * @param fingerprint the checkpoint's fingerprint
 * @param planned the config with the planned length, if the length has changed
 * @throws UserError that names the differences
 */
export function assertOwnCheckpoint(
  fingerprint: string,
  { config, labels, files: read, digests }: RunIdentity,
  files: ReturnType<typeof runFiles>,
  { planned = config, ownMetrics }: { planned?: RunConfig; ownMetrics?: readonly string[] } = {},
): void {
  const isOwn = (keys?: ReadonlySet<string>) => fingerprint === fingerprintOf(planned, labels, digests, keys);
  const written = writtenTo(files.config, config.output);
  const rows = written && otherRows(written);
  if (rows) throw rows;
  if (isOwn()) return;
  const keys = written && keysOf(written, startedWith(files.config, ownMetrics), planned);
  if (keys && isOwn(keys)) return;
  const isOfOtherFiles = differencesFrom(config, files, ownMetrics).length === 0;
  const other = isOfOtherFiles && written && otherDigests(written, read);
  throw other || otherRun(config, files, ownMetrics);
}

/**
 * Reads a run's config.yaml and sets its folder to `output`. Returns undefined if the file is missing or damaged: a
 * checkpoint does not need it.
 */
function writtenTo(path: string, output: string): RunConfig | undefined {
  try {
    const { data, training, ...rest } = Object(readYaml(path, "the run's config"));
    return { ...rest, output, data: Object(data), training: Object(training) };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
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
  const contents = ['the data files', 'the model files (weights, tokenizer, config.json)'];
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
  });
}
