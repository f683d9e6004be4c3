import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { TextFile } from '../../data/text-file.ts';
import { contentDigest } from '../../formats/node/content-digest.ts';
import { readYaml } from '../../formats/node/read-text.ts';
import { UserError } from '../../support/user-error.ts';
import type { RunLength } from '../checkpoint.ts';
import { courseOf } from '../config/course-of.ts';
import { keepChoices } from '../config/defaults/keep-choices.ts';
import { parseRunConfig } from '../config/parse-run-config.ts';
import type { ParsedConfig, RunConfig } from '../config/run-config.ts';
import type { runFiles } from './run-folder.ts';

/**
 * What the course of training depends on: equal for two runs that go the same way step by step.
 *
 * @param digests of the files that it reads: the data, the model's and the adapter's that is continued
 */
export function fingerprintOf(
  config: RunConfig,
  labels: readonly string[],
  digests: readonly string[],
): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([[...courseOf(config)].sort(), labels]));
  for (const digest of digests) hash.update(digest);
  return hash.digest('hex');
}

/** A digest of a file, or of rows in memory. */
export function digestOf(file: string | TextFile): string {
  return typeof file === 'string'
    ? contentDigest(file)
    : createHash('sha256').update(file.read()).digest('hex');
}

/** The length of the run in a folder, as its config has it. */
export function lengthIn(
  { config: path }: ReturnType<typeof runFiles>,
  ownMetrics?: readonly string[],
): RunLength {
  return lengthOf(startedWith(path, ownMetrics));
}

export function lengthOf({ training: { max_steps, num_train_epochs } }: RunConfig): RunLength {
  return { max_steps, num_train_epochs };
}

/** A config with another length; undefined if that is its own. */
export function withLength(config: RunConfig, length: RunLength): RunConfig | undefined {
  const own = lengthOf(config);
  if (own.max_steps === length.max_steps && own.num_train_epochs === length.num_train_epochs)
    return undefined;
  return { ...config, training: { ...config.training, ...length } };
}

function startedWith(path: string, ownMetrics: readonly string[] | undefined): RunConfig {
  // It has every value.
  return parseRunConfig(readYaml(path, "the run's config"), path, ownMetrics) as RunConfig;
}

/** The config with which a run is resumed, if its folder has one: what it leaves open is as it was when the run began. */
export function asBegun(
  given: ParsedConfig,
  { config: path }: ReturnType<typeof runFiles>,
  ownMetrics?: readonly string[],
): ParsedConfig {
  if (!existsSync(path)) return given;
  try {
    return keepChoices(given, startedWith(path, ownMetrics));
  } catch (error) {
    // A process that was killed may have left half of it. If the run has checkpoints, they tell what does not fit.
    if (error instanceof UserError) return given;
    throw error;
  }
}

/** Settings in which a config differs from that with which the run in a folder has begun, and both their values. */
export function differencesFrom(
  config: RunConfig,
  { config: path }: ReturnType<typeof runFiles>,
  ownMetrics?: readonly string[],
): string[] {
  const before = courseOf(startedWith(path, ownMetrics));
  const now = courseOf(config);
  return [...new Set([...before.keys(), ...now.keys()])]
    .filter((key) => before.get(key) !== now.get(key))
    .map((key) => `${key} ${now.get(key) ?? 'left out'} (there ${before.get(key) ?? 'left out'})`);
}

/** The error of resuming a run with settings or data that are not its own: names what differs. */
export function otherRun(
  config: RunConfig,
  files: ReturnType<typeof runFiles>,
  ownMetrics?: readonly string[],
): UserError {
  const differences = differencesFrom(config, files, ownMetrics);
  const contents = ['the data files', "the model's (weights, tokenizer, config.json)"];
  if (config.adapter !== undefined) contents.push('the adapter');
  return new UserError({
    where: `output: ${config.output}`,
    expected: 'to resume the run in it with its own settings, data and model',
    got: differences.length > 0 ? differences.join(', ') : `other content in ${contents.join(' or ')}`,
    hint: 'Resume with what its config.yaml says, or name another folder as output.',
  });
}
