import type { TrainerState } from '../run/trainer-state.ts';
import { UserError } from '../support/user-error.ts';
import type { Trainer } from '../train/trainer.ts';

/**
 * Restores a saved state.
 *
 * @throws UserError for an intact checkpoint that does not fit the run, because another program wrote it
 */
export async function restoreTrainer(trainer: Trainer, state: TrainerState, where: string): Promise<void> {
  try {
    await trainer.restore(state);
  } catch (error) {
    throw new UserError({ where, fault: `is not a checkpoint of this run: ${(error as Error).message}` });
  }
}
