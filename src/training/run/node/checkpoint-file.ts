import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SafetensorsFile, writeSafetensors } from '../../../input/formats/node/safetensors-file.ts';
import { InvalidFile, UserError } from '../../../support/user-error.ts';
import {
  type CheckpointOrigin,
  checkFormat,
  checkpointName,
  damaged,
  restoreCheckpoint,
  type SavedState,
  storeCheckpoint,
} from '../checkpoint.ts';
import type { TrainerState } from '../trainer-state.ts';

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
