import { type Effort, TooMuchEffort } from '../../../support/regex/effort.ts';
import { InvalidFile } from '../../../support/user-error.ts';

/**
 * The steps that a tokenizer's patterns and other steps may take for a text, about two seconds. A text of the maximum
 * length, a million characters, takes 20 million with the patterns of known models.
 */
export const MAX_STEPS = 2 ** 27;

/**
 * Runs a tokenizer's work on a text.
 *
 * @param task what it does, for the message
 * @throws UserError if it takes more steps than allowed
 */
export function within<T>(effort: Effort, task: string, work: () => T): T {
  effort.renew();
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TooMuchEffort)) throw error;
    throw new InvalidFile({
      where: 'tokenizer.json',
      fault: `${error.message} for ${task}`,
      hint: 'Its regular expressions are too complicated, or it has too many steps.',
    });
  }
}
