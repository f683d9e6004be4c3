import { UserError } from '../../support/user-error.ts';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';

/** Throws a UserError for a run that would end without a score, because runs are compared by score. */
export function assertScored({ training }: ParsedConfig, where: string): void {
  if (training.eval_strategy !== 'no') return;
  throw new UserError({
    where,
    key: 'training.eval_strategy',
    fault: 'cannot be no, because runs are compared by their evaluations',
    hint: 'Set data.validation, and remove training.eval_strategy.',
  });
}
