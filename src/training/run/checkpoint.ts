import { z } from 'zod';
import { encodeSafetensors } from '../../input/formats/encode-safetensors.ts';
import { excerptName } from '../../input/formats/excerpt.ts';
import type { SafetensorsFile } from '../../input/formats/safetensors.ts';
import type { StoredTensor } from '../../input/formats/tensor-data.ts';
import type { Moments } from '../../methods/optim/adamw.ts';
import type { MethodState } from '../../methods/tuners/method-run.ts';
import { type Hash, Sha256 } from '../../support/sha256.ts';
import { InvalidFile, type UserError } from '../../support/user-error.ts';
import { fingerprintSettings } from './config/fingerprint-settings.ts';
import type { RunConfig } from './config/run-config.ts';

/**
 * A hash of everything that affects training. It is equal for two runs that are identical step by step, in Node and in
 * a page.
 *
 * @param digests of the files that the run reads: the data, the model and the continued adapter
 */
export function computeFingerprint(
  config: RunConfig,
  labels: readonly string[],
  digests: readonly string[],
): string {
  const settings = [...fingerprintSettings(config)].sort();
  const hash = new Sha256().update(JSON.stringify([settings, labels]));
  for (const digest of digests) hash.update(digest);
  return hash.digest('hex');
}

export function readLength({ training: { max_steps, num_train_epochs } }: RunConfig): RunLength {
  return { max_steps, num_train_epochs };
}

/** Returns a config with another length; undefined if it already has that length. */
export function withLength(config: RunConfig, length: RunLength): RunConfig | undefined {
  const current = readLength(config);
  if (current.max_steps === length.max_steps && current.num_train_epochs === length.num_train_epochs)
    return undefined;
  return { ...config, training: { ...config.training, ...length } };
}

/** The best evaluation so far, and the number of evaluations since. */
export interface BestState {
  step: number;
  score: number;
  /** Number of evaluations since the best one. */
  waited: number;
  metrics: Record<string, number>;
}

/** Sums since the last log line, as stored in a checkpoint. */
export interface MeterState {
  lossSum: number;
  steps: number;
}

/** The mean loss of the first and the last reported step, and the largest one. */
export interface LossCourse {
  first?: number;
  last?: number;
  peak: number;
}

/** Everything that a run needs to resume exactly. */
export interface TrainerState {
  step: number;
  /** Number of optimizer steps, without skipped ones. */
  optimizerStep: number;
  /** The learning rate that has replaced the config's, if any. */
  learningRate?: number;
  skipped: { total: number; inARow: number };
  meter: MeterState;
  losses: LossCourse;
  best: BestState | undefined;
  lastMetrics: Record<string, number>;
  /** Scores before the first step, if the untrained model can be scored. */
  before?: Record<string, number>;
  /** Trained values, and the values at the best evaluation. */
  tensors: { values: Float32Array; best?: Float32Array };
  optimizer: Omit<Moments, 'step'>;
  method: MethodState;
}

const METHOD_PREFIX = 'method.';
/** Increase it when checkpoints of older versions can no longer be read. */
const FORMAT = '2';

const count = z.int().min(0);
/** JSON writes NaN as null, so null is read as NaN. */
const score = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const scores = z.record(z.string(), score);
const stateNumbers = z.strictObject({
  step: count,
  optimizerStep: count,
  learningRate: z.number().positive().optional(),
  skipped: z.strictObject({ total: count, inARow: count }),
  meter: z.strictObject({
    lossSum: score,
    steps: count,
  }),
  losses: z.strictObject({ first: score.optional(), last: score.optional(), peak: score }),
  best: z
    .strictObject({
      step: count,
      score: z.number(),
      waited: count,
      metrics: scores,
    })
    .optional()
    .transform((best): BestState | undefined => best),
  lastMetrics: scores,
  before: scores.optional(),
});

/** The run that a checkpoint belongs to. */
export interface CheckpointOrigin {
  /** A hash of everything that the run depends on. A checkpoint resumes only a run with the same fingerprint. */
  fingerprint: string;
  /** The start time of the run, for chat templates that contain the date. */
  startedAt: Date;
  /** The run's length at its start, if it has been extended since. The method follows the original length. */
  planned?: RunLength;
}

/** A checkpoint that a run continues from. */
export interface SavedState extends CheckpointOrigin {
  /** Its name in messages. */
  path: string;
  state: TrainerState;
}

/** The length of a run, as in `training`. */
export type RunLength = z.infer<typeof runLength>;
const runLength = z.object({ max_steps: z.number(), num_train_epochs: z.number() });

type CheckpointMetadata = Readonly<Record<string, string>>;
type CheckpointTensors = ReadonlyMap<string, StoredTensor>;

/** The name of a checkpoint's file in a run's folder, and in a page. */
export function checkpointName(step: number): string {
  return `checkpoint-${step}.safetensors`;
}

/**
 * Encodes a state as a safetensors file. The chunks are views of its vectors.
 *
 * @param hash a new SHA-256
 */
export function encodeCheckpoint(
  state: TrainerState,
  { fingerprint, startedAt, planned }: CheckpointOrigin,
  hash: Hash,
): Uint8Array[] {
  const { tensors, optimizer, method, ...numbers } = state;
  const stored = new Map<string, StoredTensor>();
  for (const [name, data] of Object.entries({ ...tensors, ...optimizer })) stored.set(name, asStored(data));
  for (const [name, data] of Object.entries(method)) stored.set(METHOD_PREFIX + name, asStored(data));
  const [when, text] = [startedAt.toISOString(), JSON.stringify(numbers)];
  const metadata = {
    format: FORMAT,
    fingerprint,
    began: when,
    state: text,
    ...(planned && { planned: JSON.stringify(planned) }),
  };
  return encodeSafetensors(stored, { ...metadata, checksum: computeChecksum(metadata, stored, hash) });
}

/** @throws UserError if the metadata is not that of a checkpoint of this version */
export function checkFormat({ format }: CheckpointMetadata, where: string): void {
  if (format === FORMAT) return;
  throw new InvalidFile({
    where,
    fault:
      format === undefined
        ? `is not a checkpoint of format ${FORMAT}`
        : `is a checkpoint of format ${excerptName(format)} instead of ${FORMAT}`,
    hint: 'If another version wrote it, resume with that version, or start a new run.',
  });
}

/**
 * Restores the state from an untrusted checkpoint.
 *
 * @param hash a new SHA-256
 * @throws UserError for a checkpoint of another version, another checksum, or a state that no trainer could have written
 */
export function restoreCheckpoint(
  file: SafetensorsFile,
  hash: Hash,
): CheckpointOrigin & { state: TrainerState } {
  const { path: where } = file;
  const { checksum, ...metadata } = file.header.metadata;
  checkFormat(metadata, where);
  const stored = file.all();
  if (checksum !== computeChecksum(metadata, stored, hash))
    throw damaged(where, 'its content has another checksum');
  const { data: numbers, error } = stateNumbers.safeParse(parsed(metadata.state));
  if (error) throw damaged(where, `its state has an invalid ${error.issues[0]!.path.join('.') || 'content'}`);
  const planned = metadata.planned === undefined ? undefined : runLength.safeParse(parsed(metadata.planned));
  if (planned?.error) throw damaged(where, 'its plan is invalid');
  const tensors: Record<string, Float32Array> = {};
  const method: MethodState = {};
  for (const [name, { data }] of stored) {
    if (name.startsWith(METHOD_PREFIX))
      method[name.slice(METHOD_PREFIX.length)] = data as MethodState[string];
    else tensors[name] = data as Float32Array;
  }
  const { values, best, m, v } = tensors;
  const isWhole = [values, m, v, ...(best ? [best] : [])].every(
    (data) => data instanceof Float32Array && data.length === values!.length,
  );
  if (!isWhole) throw damaged(where, 'its values and moments have different sizes');
  const startedAt = new Date(metadata.began ?? '');
  const { fingerprint } = metadata;
  if (fingerprint === undefined || Number.isNaN(startedAt.getTime()))
    throw damaged(where, 'it lacks the fingerprint or the start of its run');
  return {
    fingerprint,
    startedAt,
    ...(planned && { planned: planned.data }),
    state: {
      ...numbers,
      tensors: { values: values!, ...(best && { best }) },
      optimizer: { m: m!, v: v! },
      method,
    },
  };
}

/** The error for a checkpoint that has changed since it was written. */
export function damaged(where: string, got: string): UserError {
  return new InvalidFile({ where, fault: `is damaged: ${got}` });
}

/** A checksum of all metadata and tensors. */
function computeChecksum(metadata: CheckpointMetadata, tensors: CheckpointTensors, hash: Hash): string {
  hash.update(JSON.stringify(Object.entries(metadata).sort()));
  for (const [name, { dtype, shape, data }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/** Parses JSON. Returns undefined if it is invalid. */
function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

function asStored(data: Float32Array | Int32Array | Uint8Array): StoredTensor {
  const dtype = data instanceof Float32Array ? 'F32' : data instanceof Int32Array ? 'I32' : 'U8';
  return { dtype, shape: [data.length], data };
}
