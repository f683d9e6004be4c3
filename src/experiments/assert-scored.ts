import type { ParsedConfig } from '../run/config/run-config.ts';
import { UserError } from '../support/user-error.ts';

/** Throws a UserError for a run that would end without a score to compare it by. */
export function assertScored({ training }: ParsedConfig, where: string): void {
  if (training.eval_strategy !== 'no') return;
  throw new UserError({
    where: `${where}: training.eval_strategy`,
    expected: 'epoch or steps, because runs are compared by their evaluations',
    got: 'no',
    hint: 'Name data.validation, and leave training.eval_strategy out.',
  });
}
