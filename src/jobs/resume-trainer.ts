import type { RunConfig } from '../run/config/run-config.ts';
import type { TrainerState } from '../run/trainer-state.ts';
import { UserError } from '../support/user-error.ts';
import type { Trainer } from '../train/trainer.ts';
import { type TrainerSettings, trainerSettings } from '../train/trainer-settings.ts';
import type { SetUpRun } from './set-up-run.ts';

/**
 * Restores a saved state.
 *
 * @param planned the original config, if the run has been extended
 * @throws UserError for an intact checkpoint that does not fit the run, because another program wrote it, and for a run
 * that is shorter than planned
 */
export async function resumeTrainer(
  trainer: Trainer,
  { settings, inputs }: SetUpRun,
  state: TrainerState,
  where: string,
  planned: RunConfig | undefined,
): Promise<void> {
  try {
    await trainer.restore(state);
  } catch (error) {
    throw new UserError({ where, fault: `is not a checkpoint of this run: ${(error as Error).message}` });
  }
  assertNotShorter(settings, planned && trainerSettings(planned, inputs.train.lengths.length), trainer.step);
}

/**
 * Checks that the run's planned length has not become smaller, because the schedule depends on it. A run may
 * be extended, or end early.
 *
 * @throws UserError that explains how to end it early
 */
function assertNotShorter(
  { totalSteps, stopStep }: TrainerSettings,
  planned: TrainerSettings | undefined,
  step: number,
): void {
  const least = planned?.totalSteps ?? 0;
  if (totalSteps < least) {
    throw new UserError({
      key: 'training.max_steps or num_train_epochs',
      fault: `gives ${totalSteps} steps, fewer than the ${least} that this run was planned for`,
      hint: `Resume with the original length. To stop at this step on the same schedule, set training.stop_at_step: ${Math.max(totalSteps, step)}.`,
    });
  }
  if (totalSteps < step) {
    throw new UserError({
      key: 'training.max_steps or num_train_epochs',
      fault: `gives ${totalSteps} steps, but the newest checkpoint is at step ${step}`,
      hint: "Resume with the run's own config.yaml.",
    });
  }
  if (stopStep >= step) return;
  throw new UserError({
    where: 'training.stop_at_step',
    fault: `must be ${step} or later, the step of the newest checkpoint, got ${stopStep}`,
  });
}
