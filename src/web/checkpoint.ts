import { encodeSafetensors } from '../formats/encode-safetensors.ts';
import { filesFrom, type PageFile, readFile } from '../formats/file-set.ts';
import { parseSafetensorsHeader } from '../formats/safetensors.ts';
import { SafetensorsTensors } from '../formats/safetensors-tensors.ts';
import type { StoredTensor } from '../formats/tensor-data.ts';
import {
  type CheckpointOrigin,
  checkFormat,
  restoreCheckpoint,
  type StoredCheckpoint,
  storeCheckpoint,
} from '../run/checkpoint.ts';
import { fingerprintSettings } from '../run/config/fingerprint-settings.ts';
import type { RunConfig } from '../run/config/run-config.ts';
import type { TrainerState } from '../run/trainer-state.ts';
import { UserError } from '../support/user-error.ts';

const NAME = 'checkpoint';
/** Maximum size of a checkpoint: the values, both moments and the best values of a large adapter. */
const MAX_BYTES = 2 ** 31;

/** The checkpoint that a page stores to resume. */
export function encodeCheckpoint(state: TrainerState, origin: CheckpointOrigin): Blob {
  const { metadata, tensors } = storeCheckpoint(state, origin);
  return new Blob(encodeSafetensors(tensors, metadata) as BlobPart[]);
}

/**
 * Parses the result of {@link encodeCheckpoint}.
 *
 * @throws UserError if it is damaged or belongs to another run
 */
export async function readCheckpoint(
  file: PageFile,
  fingerprint: string,
): Promise<CheckpointOrigin & { state: TrainerState }> {
  const bytes = (await readFile(filesFrom(new Map([[NAME, file]]), 'page'), NAME, MAX_BYTES))!;
  const header = parseSafetensorsHeader(bytes, bytes.length, NAME);
  checkFormat(header.metadata, NAME);
  const read = new SafetensorsTensors(header, NAME, (begin, end) => bytes.slice(begin, end));
  const tensors = read
    .names()
    .map((name): [string, StoredTensor] => [name, { ...read.info(name), data: read.read(name) }]);
  const stored: StoredCheckpoint = { metadata: header.metadata, tensors: new Map(tensors) };
  const saved = restoreCheckpoint(stored, NAME);
  if (saved.fingerprint === fingerprint) return saved;
  throw new UserError({
    where: NAME,
    fault: 'belongs to a run with another config, other files or another model',
  });
}

/**
 * A hash of everything that affects training. It is equal for two runs that are identical step by step.
 *
 * @param texts everything else that determines the run: the rows and the model's description
 */
export async function fingerprintOf(
  config: RunConfig,
  labels: readonly string[],
  texts: readonly string[],
): Promise<string> {
  const text = JSON.stringify([[...fingerprintSettings(config)].sort(), labels, texts]);
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
