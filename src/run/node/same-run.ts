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
 * A hash of everything that affects training: equal for two runs that are the same step by step.
 *
 * @param digests of the files that it reads: the data, the model and the continued adapter
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

/** The digest of a file, or of rows in memory. */
export function digestOf(file: string | TextFile): string {
  return typeof file === 'string'
    ? contentDigest(file)
    : createHash('sha256').update(file.read()).digest('hex');
}

/** The length of the run in a folder, according to its config. */
export function lengthIn(
  { config: path }: ReturnType<typeof runFiles>,
  ownMetrics?: readonly string[],
): RunLength {
  return lengthOf(startedWith(path, ownMetrics));
}

export function lengthOf({ training: { max_steps, num_train_epochs } }: RunConfig): RunLength {
  return { max_steps, num_train_epochs };
}

/** A config with another length; undefined if it already has that length. */
export function withLength(config: RunConfig, length: RunLength): RunConfig | undefined {
  const own = lengthOf(config);
  if (own.max_steps === length.max_steps && own.num_train_epochs === length.num_train_epochs)
    return undefined;
  return { ...config, training: { ...config.training, ...length } };
}

function startedWith(path: string, ownMetrics: readonly string[] | undefined): RunConfig {
  // It is complete.
  return parseRunConfig(readYaml(path, "the run's config"), path, ownMetrics) as RunConfig;
}

/** The config of a resumed run, if its folder has one: values that it leaves open are those at the start of the run. */
export function asBegun(
  given: ParsedConfig,
  { config: path }: ReturnType<typeof runFiles>,
  ownMetrics?: readonly string[],
): ParsedConfig {
  if (!existsSync(path)) return given;
  try {
    return keepChoices(given, startedWith(path, ownMetrics));
  } catch (error) {
    // A killed process may have written half of it. If the run has checkpoints, they reveal a mismatch.
    if (error instanceof UserError) return given;
    throw error;
  }
}

/** Settings of a config that differ from those of the run in a folder, with both values. */
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

/** The error of resuming a run with other settings or data; it names the differences. */
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
