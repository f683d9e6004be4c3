import type { RunBeginning } from '../jobs/begin-run.ts';
import type { CheckpointOrigin } from '../run/checkpoint.ts';
import type { TrainerState } from '../run/trainer-state.ts';
import { UserError } from '../support/user-error.ts';
import type { Trainer, TrainerHost } from '../train/trainer.ts';
import { encodeCheckpoint, fingerprintOf, readCheckpoint } from './checkpoint.ts';
import type { TrainOptions } from './train.ts';

export interface KeptRun {
  /** The start time of the run, in this page or in an earlier one. */
  startedAt: Date;
  saved?: CheckpointOrigin & { state: TrainerState };
  /** Missing if nothing is stored. */
  host?: Pick<TrainerHost, 'save' | 'isSaveDue'>;
}

/**
 * The stored state of a run, and the callbacks that store it.
 *
 * @param texts the rows and the model, to distinguish checkpoints
 * @throws UserError for a checkpoint that is damaged, or of another run
 */
export async function keptRun(
  run: RunBeginning,
  texts: readonly string[],
  {
    onCheckpoint,
    checkpoint,
    checkpointSeconds = 20,
  }: Pick<TrainOptions, 'onCheckpoint' | 'checkpoint' | 'checkpointSeconds'>,
): Promise<KeptRun> {
  if (!onCheckpoint && checkpoint === undefined) return { startedAt: new Date() };
  const fingerprint = await fingerprintOf(run.config, run.labels, texts);
  const saved = checkpoint === undefined ? undefined : await readCheckpoint(checkpoint, fingerprint);
  const startedAt = saved?.startedAt ?? new Date();
  let savedAt = Number.NEGATIVE_INFINITY;
  const host: KeptRun['host'] = onCheckpoint && {
    isSaveDue: () => performance.now() - savedAt >= 1000 * checkpointSeconds,
    async save(state) {
      await onCheckpoint(encodeCheckpoint(state, { fingerprint, startedAt }));
      savedAt = performance.now();
      return 'checkpoint';
    },
  };
  return { startedAt, saved, host };
}

/**
 * Restores a trainer's state.
 *
 * @throws UserError for a valid checkpoint that does not fit the run, because another program wrote it
 */
export async function restoreTrainer(trainer: Trainer, state: TrainerState): Promise<void> {
  try {
    await trainer.restore(state);
  } catch (error) {
    throw new UserError({
      where: 'checkpoint',
      fault: `is not a state of this run: ${(error as Error).message}`,
    });
  }
}
