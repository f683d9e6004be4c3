import { UserError } from '../support/user-error.ts';

/**
 * Checks that a client sends a single text.
 *
 * @throws UserError for a pair, because the model was not trained on pairs
 */
export function assertOneText(pair: string | undefined): void {
  if (pair === undefined) return;
  throw new UserError({
    where: 'inputs',
    fault: 'must be one text each, got a pair',
    hint: 'A list of single texts is [["first"], ["second"]].',
    code: 'invalid_argument',
  });
}
