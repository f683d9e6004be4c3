import { UserError } from '../support/user-error.ts';

/** Throws a UserError where a client gives a pair to a model of single texts: it was asked no such question. */
export function assertOneText(pair: string | undefined): void {
  if (pair === undefined) return;
  throw new UserError({
    where: 'inputs',
    expected: 'one text',
    got: 'a pair of texts',
    hint: 'A list of single texts is [["first"], ["second"]].',
  });
}
