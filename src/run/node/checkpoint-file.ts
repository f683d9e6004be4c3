import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SafetensorsFile, writeSafetensors } from '../../formats/node/safetensors-file.ts';
import type { StoredTensor } from '../../formats/tensor-data.ts';
import { UserError } from '../../support/user-error.ts';
import type { MethodState } from '../../tuners/method-run.ts';
import type { TrainerState } from '../trainer-state.ts';

const METHOD_PREFIX = 'method.';
const NAME = /^checkpoint-(\d+)\.safetensors$/;
/** Increased when a checkpoint of an older version can no longer be read. */
const FORMAT = '2';

/** The run that a checkpoint is of. */
export interface CheckpointOrigin {
  /** What the run depends on: a checkpoint only resumes a run with the same. */
  fingerprint: string;
  /** The moment it began, for chat templates that tell the date. */
  began: Date;
}

/** Writes a checkpoint as one file, so that it is there whole or not at all, and removes the oldest beyond `limit`. */
export function writeCheckpoint(
  folder: string,
  state: TrainerState,
  { fingerprint, began }: CheckpointOrigin,
  limit: number,
): string {
  const path = join(folder, `checkpoint-${state.step}.safetensors`);
  const { tensors, method, ...numbers } = state;
  const stored = new Map<string, StoredTensor>();
  for (const [name, data] of Object.entries(tensors)) stored.set(name, asStored(data));
  for (const [name, data] of Object.entries(method)) stored.set(METHOD_PREFIX + name, asStored(data));
  writeSafetensors(path, stored, {
    format: FORMAT,
    fingerprint,
    began: began.toISOString(),
    state: JSON.stringify(numbers),
  });
  for (const old of listCheckpoints(folder).slice(0, -limit)) rmSync(join(folder, old.name));
  return path;
}

export interface SavedState extends CheckpointOrigin {
  path: string;
  state: TrainerState;
}

/** Reads the newest checkpoint; undefined when there is none. */
export function readLastCheckpoint(folder: string): SavedState | undefined {
  const last = listCheckpoints(folder).at(-1);
  if (!last) return undefined;
  const path = join(folder, last.name);
  const file = SafetensorsFile.open(path);
  try {
    const { metadata } = file.header;
    if (metadata.format !== FORMAT) {
      throw new UserError({
        where: path,
        expected: `a checkpoint of format ${FORMAT}`,
        got: `format ${metadata.format}`,
        hint: 'Another version of this program wrote it: resume with that, or choose another output folder.',
      });
    }
    const numbers = JSON.parse(metadata.state) as Omit<TrainerState, 'tensors' | 'method'>;
    const tensors: Record<string, Float32Array> = {};
    const method: MethodState = {};
    for (const name of file.names()) {
      const data = file.read(name) as Float32Array;
      if (name.startsWith(METHOD_PREFIX)) method[name.slice(METHOD_PREFIX.length)] = data;
      else tensors[name] = data;
    }
    const state = { ...numbers, tensors: tensors as TrainerState['tensors'], method };
    return { path, fingerprint: metadata.fingerprint, began: new Date(metadata.began), state };
  } finally {
    file.close();
  }
}

/** Checkpoints of a folder, oldest first. */
function listCheckpoints(folder: string): { name: string; step: number }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const match = NAME.exec(name);
      return match ? [{ name, step: Number(match[1]) }] : [];
    })
    .sort((a, b) => a.step - b.step);
}

function asStored(data: Float32Array | Int32Array | Uint8Array): StoredTensor {
  const dtype = data instanceof Float32Array ? 'F32' : data instanceof Int32Array ? 'I32' : 'U8';
  return { dtype, shape: [data.length], data };
}
