import { UserError } from '../support/user-error.ts';

/** Characters: nearly a gigabyte and three seconds where each of them is a token. */
const MOST = 2 ** 20;

/**
 * Refuses more text than can be tokenized at once.
 *
 * @throws UserError that begins with what it begins with
 */
export function checkPiece(text: string): void {
  if (text.length <= MOST) return;
  throw new UserError({
    where: `a text with ${JSON.stringify(text.slice(0, 20))}`,
    expected: `at most ${MOST} characters between two places where its tokenizer can part it, as between words`,
    got: `${text.length}`,
    hint: 'Make several rows of it.',
  });
}
