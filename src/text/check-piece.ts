import { UserError } from '../support/user-error.ts';

/** Maximum number of characters. If each were a token, tokenizing would take nearly a gigabyte and three seconds. */
const MAX = 2 ** 20;

/**
 * Checks that a text is not too long to be tokenized at once.
 *
 * @throws UserError that quotes the start of the text
 */
export function checkPiece(text: string): void {
  if (text.length <= MAX) return;
  throw new UserError({
    where: `a text with ${JSON.stringify(text.slice(0, 20))}`,
    fault: `has ${text.length} characters without a place to split, such as a space; at most ${MAX} are allowed`,
    hint: 'Split it into several rows.',
  });
}
