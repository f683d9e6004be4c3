import { type FolderFiles, openFile } from '../../input/formats/files.ts';
import { SafetensorsFile } from '../../input/formats/safetensors.ts';
import { InvalidFile, UserError } from '../../support/user-error.ts';
import {
  type CheckpointOrigin,
  checkFormat,
  checkpointName,
  damaged,
  encodeCheckpoint,
  restoreCheckpoint,
  type SavedState,
  type TrainerState,
} from './checkpoint.ts';

const NAME = /^checkpoint-(\d+)\.safetensors$/;

/** Writes a checkpoint as one file, so that it is either complete or absent. Removes the oldest beyond `limit`. */
export function writeCheckpoint(
  folder: FolderFiles,
  state: TrainerState,
  origin: CheckpointOrigin,
  limit: number,
): string {
  const name = checkpointName(state.step);
  folder.write(name, encodeCheckpoint(state, origin, folder.newHash()));
  for (const old of listCheckpoints(folder).slice(0, -limit)) folder.remove(old.name);
  return folder.path(name);
}

/**
 * Reads the newest intact checkpoint. Returns undefined if there is no checkpoint.
 *
 * @param onDamaged called for each damaged checkpoint that is newer
 * @throws UserError if all are damaged
 */
export function readLastCheckpoint(
  folder: FolderFiles,
  onDamaged: (message: string) => void = () => {},
): SavedState | undefined {
  const damages: string[] = [];
  for (const { name } of listCheckpoints(folder).reverse()) {
    try {
      const saved = readCheckpoint(folder, name);
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
export function lastFingerprint(folder: FolderFiles): string | undefined {
  const newest = listCheckpoints(folder).at(-1);
  if (!newest) return undefined;
  const file = openCheckpoint(folder, newest.name);
  try {
    checkFormat(file.header.metadata, file.path);
    return file.header.metadata.fingerprint;
  } finally {
    file.close();
  }
}

/**
 * Reads one checkpoint.
 *
 * @throws UserError if it is missing or damaged, or does not have the step in its name
 */
export function readCheckpoint(folder: FolderFiles, name: string): SavedState {
  const file = openCheckpoint(folder, name);
  try {
    const saved = restoreCheckpoint(file, folder.newHash());
    const { step } = saved.state;
    if (step !== stepOfCheckpoint(name)) throw damaged(file.path, `it contains step ${step}`);
    return { path: file.path, ...saved };
  } finally {
    file.close();
  }
}

/** The step in the name of a checkpoint's file; undefined for any other name. */
export function stepOfCheckpoint(name: string): number | undefined {
  const match = NAME.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** Lists the checkpoints of a folder, oldest first. */
export function listCheckpoints(folder: FolderFiles): { name: string; step: number }[] {
  return folder
    .list()
    .flatMap((name) => {
      const step = stepOfCheckpoint(name);
      return step === undefined ? [] : [{ name, step }];
    })
    .sort((a, b) => a.step - b.step);
}

function openCheckpoint(folder: FolderFiles, name: string): SafetensorsFile {
  return SafetensorsFile.open(openFile(folder, name, 'a safetensors file'));
}
