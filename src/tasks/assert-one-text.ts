import { UserError } from '../support/user-error.ts';

/** Throws a UserError if a client sends a pair to a model of single texts, which was not trained on pairs. */
export function assertOneText(pair: string | undefined): void {
  if (pair === undefined) return;
  throw new UserError({
    where: 'inputs',
    fault: 'must be one text each, got a pair',
    hint: 'A list of single texts is [["first"], ["second"]].',
  });
}
