import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { excerptName } from '../../formats/excerpt.ts';
import { SafetensorsFile, writeSafetensors } from '../../formats/node/safetensors-file.ts';
import type { StoredTensor } from '../../formats/tensor-data.ts';
import { UserError } from '../../support/user-error.ts';
import type { MethodState } from '../../tuners/method-run.ts';
import type { BestState, TrainerState } from '../trainer-state.ts';

const METHOD_PREFIX = 'method.';
const NAME = /^checkpoint-(\d+)\.safetensors$/;
/** Increased when a checkpoint of an older version can no longer be read. */
const FORMAT = '2';

const count = z.int().min(0);
/** JSON has null for what is no number. */
const score = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const scores = z.record(z.string(), score);
const stateNumbers = z.strictObject({
  step: count,
  optimizerStep: count,
  skipped: z.strictObject({ total: count, inARow: count }),
  meter: z.strictObject({ lossSum: score, steps: count }),
  best: z
    .strictObject({ step: count, score: z.number(), waited: count, metrics: scores })
    .optional()
    .transform((best): BestState | undefined => best),
  lastMetrics: scores,
});

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
  const metadata = {
    format: FORMAT,
    fingerprint,
    began: began.toISOString(),
    state: JSON.stringify(numbers),
  };
  writeSafetensors(path, stored, { ...metadata, checksum: checksumOf(metadata, stored) });
  for (const old of listCheckpoints(folder).slice(0, -limit)) rmSync(join(folder, old.name));
  return path;
}

export interface SavedState extends CheckpointOrigin {
  path: string;
  state: TrainerState;
}

/**
 * Reads the newest checkpoint that is intact; undefined when there is none at all.
 *
 * @param onDamaged told of each newer one that is not
 * @throws UserError where none is
 */
export function readLastCheckpoint(
  folder: string,
  onDamaged: (message: string) => void = () => {},
): SavedState | undefined {
  const damages: string[] = [];
  for (const { name, step } of listCheckpoints(folder).reverse()) {
    try {
      const saved = readCheckpoint(join(folder, name), step);
      for (const damage of damages) onDamaged(`${damage} The one before it is taken.`);
      return saved;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      damages.push(error.message);
    }
  }
  if (damages.length === 0) return undefined;
  const hint = 'No checkpoint of the run is intact: begin anew in another folder with --set output=...';
  throw new UserError(`${damages.join('\n')}\n${hint}`);
}

function readCheckpoint(path: string, step: number): SavedState {
  const file = SafetensorsFile.open(path);
  try {
    const { checksum, ...metadata } = file.header.metadata;
    if (metadata.format !== FORMAT) {
      throw new UserError({
        where: path,
        expected: `a checkpoint of format ${FORMAT}`,
        got: metadata.format === undefined ? 'another file' : `format ${excerptName(metadata.format)}`,
        hint: 'Where another version of this program wrote it: resume with that, or choose another output folder.',
      });
    }
    const stored = new Map(file.names().map((name) => [name, { ...file.info(name), data: file.read(name) }]));
    if (checksum !== checksumOf(metadata, stored)) throw damaged(path, 'content that has another checksum');
    const state = stateOf(JSON.parse(metadata.state), stored, path);
    if (state.step !== step) throw damaged(path, `that of step ${state.step}`);
    return { path, fingerprint: metadata.fingerprint, began: new Date(metadata.began), state };
  } finally {
    file.close();
  }
}

/** The state in a checkpoint whose checksum is right: it may still be of somebody who wrote both. */
function stateOf(json: unknown, stored: ReadonlyMap<string, StoredTensor>, path: string): TrainerState {
  const { data: numbers, error } = stateNumbers.safeParse(json);
  if (error) throw damaged(path, `a state in which ${error.issues[0].path.join('.')} is wrong`);
  const tensors: Record<string, Float32Array> = {};
  const method: MethodState = {};
  for (const [name, { data }] of stored) {
    if (name.startsWith(METHOD_PREFIX))
      method[name.slice(METHOD_PREFIX.length)] = data as MethodState[string];
    else tensors[name] = data as Float32Array;
  }
  const { values, m, v, best } = tensors;
  const isWhole = [values, m, v, ...(best ? [best] : [])].every(
    (data) => data instanceof Float32Array && data.length === values.length,
  );
  if (!isWhole) throw damaged(path, 'values and moments that do not fit together');
  return { ...numbers, tensors: { values, m, v, ...(best && { best }) }, method };
}

/** Of all that a checkpoint says and holds. */
function checksumOf(
  metadata: Readonly<Record<string, string>>,
  stored: ReadonlyMap<string, StoredTensor>,
): string {
  const hash = createHash('sha256').update(JSON.stringify(Object.entries(metadata).sort()));
  for (const [name, { dtype, shape, data }] of [...stored].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

function damaged(path: string, got: string): UserError {
  return new UserError({ where: path, expected: 'a checkpoint as it was written', got });
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
