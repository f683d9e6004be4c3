import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readYaml } from '../../../input/formats/node/read-text.ts';
import { LOCK_FILE, type LockOptions, lockFolder } from '../../../input/store/node/folder-lock.ts';
import { makeFolder } from '../../../input/store/node/make-folder.ts';
import { isTemporary, removeStale } from '../../../input/store/node/temporary-name.ts';
import { launchOf } from '../../../program/parallel/node/launch.ts';
import { parentProcess } from '../../../support/node/process-status.ts';
import { UserError } from '../../../support/user-error.ts';
import { parseRunConfig } from '../config/parse-run-config.ts';
import { keepChoices } from '../config/resolve-config.ts';
import type { ParsedConfig, RunConfig } from '../config/run-config.ts';

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

/** Paths of a run's files. */
export function runFiles(folder: string) {
  return {
    config: join(folder, 'config.yaml'),
    metrics: join(folder, 'metrics.jsonl'),
    /** See `ImportanceLog`. */
    importance: join(folder, 'importance.f32'),
    importanceModules: join(folder, 'importance.json'),
    checkpoints: join(folder, 'checkpoints'),
    /** See `FoldFiles`. */
    folds: join(folder, 'folds'),
    adapter: join(folder, 'adapter'),
    /** The whole fine-tuned model, for methods without an adapter. */
    model: join(folder, 'model'),
    card: join(folder, 'README.md'),
    /** The run's ids on the servers in `training.report_to`. */
    trackers: join(folder, 'trackers.json'),
    /** Ranks that were chosen before the first step, by PEFT's keys. */
    rankPattern: join(folder, 'rank_pattern.json'),
  };
}

/**
 * Checks, before anything is loaded, whether a run can be written to the folder. It does not create anything.
 *
 * @throws UserError if the folder cannot be created or written to, or contains files and is not a run to `resume`
 */
export function checkRunFolder(folder: string, resume: boolean): void {
  const where = `output: ${folder}`;
  const stats = statsOf(folder);
  if (!stats) {
    checkWritable(nearestAbove(resolve(folder)), where);
    return;
  }
  if (!stats.isDirectory())
    throw new UserError({ where, fault: 'is a file', hint: 'Pass a folder.', code: 'file_system' });
  const entries = contentOf(folder);
  if (entries.length > 0 && !resume) {
    throw new UserError({
      where,
      fault: 'is not empty',
      hint: 'Resume the run, or choose another folder as output.',
      code: 'already_exists',
    });
  }
  // A run that was killed before its first checkpoint has only the folder `checkpoints`.
  if (!entries.includes('config.yaml') && entries.some((name) => name !== 'checkpoints')) {
    const hint = 'Choose another folder as output.';
    throw new UserError({
      where,
      fault: 'has other files but no config.yaml of a run',
      hint,
      code: 'already_exists',
    });
  }
  checkWritable(folder, where);
}

/** Names of the entries in a run's folder, without its lock and temporary files; empty if the folder does not exist. */
export function contentOf(folder: string): string[] {
  if (!statsOf(folder)) return [];
  return readdirSync(folder).filter((name) => name !== LOCK_FILE && !isTemporary(name));
}

/**
 * Makes this thread the only writer of a run's folder, which must exist. See {@link lockFolder}.
 *
 * @returns a function that unlocks it
 * @throws UserError if another run holds the lock
 */
export function lockRun(folder: string, options?: LockOptions): () => void {
  const launch = launchOf(process.env);
  const launcher = launch && launch.size !== 1 ? process.ppid : parentProcess();
  return lockFolder(folder, { launcher, ...options });
}

/**
 * Creates the folder and locks it.
 *
 * @param seen its entries when it was checked
 * @returns a function that unlocks it
 * @throws UserError if another run holds the lock or has since started in it, or if the system refuses
 */
export function takeRunFolder(folder: string, seen: readonly string[], options?: LockOptions): () => void {
  const release = asked(folder, () => {
    makeFolder(folder);
    return lockRun(folder, options);
  });
  if (contentOf(folder).join('/') === seen.join('/')) return release;
  release();
  throw new UserError({
    where: `output: ${folder}`,
    fault: 'already contains another run',
    hint: 'Choose another folder as output.',
    code: 'already_exists',
  });
}

/**
 * Creates the subfolders, and removes the remains of killed processes.
 *
 * @throws UserError if the system refuses
 */
export function makeRunFolder(folder: string): void {
  const { checkpoints } = runFiles(folder);
  asked(folder, () => {
    makeFolder(checkpoints);
    for (const path of [folder, checkpoints]) removeStale(path);
  });
}

function asked<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw refused(`output: ${folder}`, error);
  }
}

function nearestAbove(path: string): string {
  return statsOf(path) ? path : nearestAbove(dirname(path));
}

function checkWritable(folder: string, where: string): void {
  if (!statSync(folder).isDirectory()) {
    throw new UserError({ where, fault: `cannot be made, because ${folder} is a file`, code: 'file_system' });
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw refused(where, error);
  }
}

function refused(where: string, error: unknown): UserError {
  const { code } = error as NodeJS.ErrnoException;
  return new UserError({ where, fault: `is not writable (${code})`, code: 'file_system' });
}

function statsOf(path: string) {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
