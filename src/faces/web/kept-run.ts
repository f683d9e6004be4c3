import { encodeSafetensors } from '../../input/formats/encode-safetensors.ts';
import { filesFrom, type PageFile, readFile } from '../../input/formats/files.ts';
import { SafetensorsTensors } from '../../input/formats/safetensors.ts';
import type { RunBeginning } from '../../studies/jobs/begin-run.ts';
import { Sha256 } from '../../support/sha256.ts';
import { UserError } from '../../support/user-error.ts';
import {
  type CheckpointOrigin,
  checkpointName,
  restoreCheckpoint,
  storeCheckpoint,
} from '../../training/run/checkpoint.ts';
import type { RunConfig } from '../../training/run/config/run-config.ts';
import { fingerprintOf, lengthOf, withLength } from '../../training/run/same-run.ts';
import type { TrainerState } from '../../training/run/trainer-state.ts';
import type { TrainerHost } from '../../training/train/trainer.ts';
import type { TrainOptions } from './train.ts';

/** The name of a given checkpoint in messages. */
export const CHECKPOINT = 'checkpoint';
/** Maximum size of a checkpoint: the values, both moments and the best values of a large adapter. */
const MAX_BYTES = 2 ** 31;

export interface KeptRun {
  /** The start time of the run, in this page or earlier. */
  startedAt: Date;
  saved?: CheckpointOrigin & { state: TrainerState };
  /** The original config, if the run has been extended. */
  planned?: RunConfig;
  /** Missing if nothing is stored. */
  host?: Pick<TrainerHost, 'save' | 'isSaveDue'>;
}

/**
 * The stored state of a run, and the callbacks that store it. Checkpoints are those of Node.
 *
 * @param digestsOf returns the digests of all files that the run reads
 * @throws UserError for a checkpoint that is damaged, or of another run
 */
export async function keptRun(
  { config, labels }: RunBeginning,
  digestsOf: () => Promise<string[]>,
  {
    onCheckpoint,
    resume,
    checkpointSeconds = 20,
  }: Pick<TrainOptions, 'onCheckpoint' | 'resume' | 'checkpointSeconds'>,
): Promise<KeptRun> {
  if (!onCheckpoint && resume === undefined) return { startedAt: new Date() };
  const saved = resume === undefined ? undefined : await readCheckpoint(resume);
  const planned = saved?.planned && withLength(config, saved.planned);
  const fingerprint = fingerprintOf(planned ?? config, labels, await digestsOf());
  if (saved && saved.fingerprint !== fingerprint) {
    throw new UserError({
      where: CHECKPOINT,
      fault: 'belongs to a run with another config, other files or another model',
    });
  }
  const startedAt = saved?.startedAt ?? new Date();
  const origin = { fingerprint, startedAt, ...(planned && { planned: lengthOf(planned) }) };
  let savedAt = Number.NEGATIVE_INFINITY;
  const host: KeptRun['host'] = onCheckpoint && {
    isSaveDue: () => performance.now() - savedAt >= 1000 * checkpointSeconds,
    async save(state) {
      const { metadata, tensors } = storeCheckpoint(state, origin, new Sha256());
      const name = checkpointName(state.step);
      await onCheckpoint(new File(encodeSafetensors(tensors, metadata) as BlobPart[], name));
      savedAt = performance.now();
      return name;
    },
  };
  return { startedAt, saved, planned, host };
}

async function readCheckpoint(file: PageFile): Promise<CheckpointOrigin & { state: TrainerState }> {
  const bytes = (await readFile(filesFrom(new Map([['', file]]), CHECKPOINT), '', MAX_BYTES))!;
  return restoreCheckpoint(SafetensorsTensors.of(bytes, CHECKPOINT), new Sha256());
}
