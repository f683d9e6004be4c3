import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SafetensorsFile, writeSafetensors } from '../../../input/formats/node/safetensors-file.ts';
import { moduleOfMethod } from '../../../methods/tuners/registry.ts';
import { InvalidFile, UserError } from '../../../support/user-error.ts';
import { moduleOfTask } from '../../../tasks/registry.ts';
import {
  type CheckpointOrigin,
  checkFormat,
  checkpointName,
  damaged,
  fingerprintOf,
  restoreCheckpoint,
  type SavedState,
  storeCheckpoint,
  type TrainerState,
} from '../checkpoint.ts';
import { fingerprintSettings } from '../config/fingerprint-settings.ts';
import type { RunConfig } from '../config/run-config.ts';
import { type runFiles, startedWith } from './run-folder.ts';

const NAME = /^checkpoint-(\d+)\.safetensors$/;

/** Writes a checkpoint as one file, so that it is either complete or absent. Removes the oldest beyond `limit`. */
export function writeCheckpoint(
  folder: string,
  state: TrainerState,
  origin: CheckpointOrigin,
  limit: number,
): string {
  const path = join(folder, checkpointName(state.step));
  const { metadata, tensors } = storeCheckpoint(state, origin, createHash('sha256'));
  writeSafetensors(path, tensors, metadata);
  for (const old of listCheckpoints(folder).slice(0, -limit)) rmSync(join(folder, old.name));
  return path;
}

/**
 * Reads the newest intact checkpoint. Returns undefined if there is no checkpoint.
 *
 * @param onDamaged called for each damaged checkpoint that is newer
 * @throws UserError if all are damaged
 */
export function readLastCheckpoint(
  folder: string,
  onDamaged: (message: string) => void = () => {},
): SavedState | undefined {
  const damages: string[] = [];
  for (const { name, step } of listCheckpoints(folder).reverse()) {
    try {
      const saved = readCheckpoint(join(folder, name), step);
      for (const damage of damages) onDamaged(`${damage} Using the previous checkpoint.`);
      return saved;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      damages.push(error.message);
    }
  }
  if (damages.length === 0) return undefined;
  const hint = 'No checkpoint of the run is intact. Start again with another folder as output.';
  throw new InvalidFile(`${damages.join('\n')}\n${hint}`);
}

/** The fingerprint in the newest checkpoint; undefined if there is no checkpoint. Its state is not read. */
export function lastFingerprint(folder: string): string | undefined {
  const newest = listCheckpoints(folder).at(-1);
  if (!newest) return undefined;
  const path = join(folder, newest.name);
  const file = SafetensorsFile.open(path);
  try {
    checkFormat(file.header.metadata, path);
    return file.header.metadata.fingerprint;
  } finally {
    file.close();
  }
}

/**
 * Reads one checkpoint.
 *
 * @throws UserError if it is missing or damaged, or has another step
 */
export function readCheckpoint(path: string, step: number): SavedState {
  const file = SafetensorsFile.open(path);
  try {
    const saved = restoreCheckpoint(file, createHash('sha256'));
    if (saved.state.step !== step) throw damaged(path, `it contains step ${saved.state.step}`);
    return { path, ...saved };
  } finally {
    file.close();
  }
}

/** The step in the name of a checkpoint's file; undefined for any other name. */
export function stepOfCheckpoint(path: string): number | undefined {
  const match = NAME.exec(basename(path));
  return match ? Number(match[1]) : undefined;
}

/** The steps of the checkpoints in a folder, in order. */
export function checkpointsIn(folder: string): number[] {
  return listCheckpoints(folder).map(({ step }) => step);
}

/** Lists the checkpoints of a folder, oldest first. */
function listCheckpoints(folder: string): { name: string; step: number }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const match = NAME.exec(name);
      return match ? [{ name, step: Number(match[1]) }] : [];
    })
    .sort((a, b) => a.step - b.step);
}

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
