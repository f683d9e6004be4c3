import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { TextFile } from '../../data/text-file.ts';
import { contentDigest } from '../../formats/node/content-digest.ts';
import { readYaml } from '../../formats/node/read-text.ts';
import { UserError } from '../../support/user-error.ts';
import type { RunLength } from '../checkpoint.ts';
import { keepChoices } from '../config/defaults/keep-choices.ts';
import { fingerprintSettings } from '../config/fingerprint-settings.ts';
import { parseRunConfig } from '../config/parse-run-config.ts';
import type { ParsedConfig, RunConfig } from '../config/run-config.ts';
import type { runFiles } from './run-folder.ts';

/**
 * A hash of everything that affects training. It is equal for two runs that are identical step by step.
 *
 * @param digests of the files that the run reads: the data, the model and the continued adapter
 * @param keys the keys to hash; default: all
 */
export function fingerprintOf(
  config: RunConfig,
  labels: readonly string[],
  digests: readonly string[],
  keys?: ReadonlySet<string>,
): string {
  const hash = createHash('sha256');
  const settings = [...fingerprintSettings(config)].filter(([key]) => keys?.has(key) ?? true);
  hash.update(JSON.stringify([settings.sort(), labels]));
  for (const digest of digests) hash.update(digest);
  return hash.digest('hex');
}

/** The digest of a file, or of rows in memory. */
export function digestOf(file: string | TextFile): string {
  return typeof file === 'string'
    ? contentDigest(file)
    : createHash('sha256').update(file.read()).digest('hex');
}

/** The length of the run in a folder, read from its config. */
export function lengthIn(
  { config: path }: ReturnType<typeof runFiles>,
  ownMetrics?: readonly string[],
): RunLength {
  return lengthOf(startedWith(path, ownMetrics));
}

export function lengthOf({ training: { max_steps, num_train_epochs } }: RunConfig): RunLength {
  return { max_steps, num_train_epochs };
}

/** Returns a config with another length; undefined if it already has that length. */
export function withLength(config: RunConfig, length: RunLength): RunConfig | undefined {
  const current = lengthOf(config);
  if (current.max_steps === length.max_steps && current.num_train_epochs === length.num_train_epochs)
    return undefined;
  return { ...config, training: { ...config.training, ...length } };
}

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
