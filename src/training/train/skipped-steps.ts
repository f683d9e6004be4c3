import { UserError } from '../../support/user-error.ts';
import type { TrainerState } from '../run/trainer-state.ts';

/** Training ends after this many steps in a row without a finite gradient, because nothing would change any more. */
const MAX_IN_A_ROW = 10;

const HINT =
  'Lower training.learning_rate, set training.max_grad_norm to 1, or look for damaged rows in the data.';

/** Counts the steps that changed nothing because their gradient was not finite. */
export class SkippedSteps {
  state: TrainerState['skipped'] = { total: 0, inARow: 0 };

  note(isSkipped: boolean): void {
    const { total, inARow } = this.state;
    this.state = isSkipped ? { total: total + 1, inARow: inARow + 1 } : { total, inARow: 0 };
  }

  /**
   * @throws UserError if too many steps in a row were skipped
   */
  assertFew(step: number): void {
    if (this.state.inARow < MAX_IN_A_ROW) return;
    throw new UserError({
      where: `step ${step}`,
      fault: `has no finite gradient, like the ${MAX_IN_A_ROW - 1} steps before`,
      hint: HINT,
    });
  }
}

/**
 * Checks the result of a run.
 *
 * @param metrics of the final evaluation
 * @throws UserError if a trained value or the loss is not finite
 */
export function assertFinite(step: number, values: Float32Array, metrics: Record<string, number>): void {
  const isLost = metrics.eval_loss !== undefined && !Number.isFinite(metrics.eval_loss);
  if (!isLost && values.every(Number.isFinite)) return;
  throw new UserError({
    where: `step ${step}`,
    fault: isLost ? 'has a loss that is not finite' : 'has trained values that are not finite',
    hint: HINT,
  });
}
