import { UserError } from '../../support/user-error.ts';
import type { TextLimits } from '../build-tokenizer.ts';
import { TimeLimit, TookTooLong } from './time-limit.ts';

/** A text of a megabyte takes half a second. */
const ENCODING_SECONDS = 10;
/** A rendering usually takes a few milliseconds. */
const RENDERING_SECONDS = 5;

export const TEXT_LIMITS: TextLimits = {
  encoding: (where) =>
    limited(
      ENCODING_SECONDS,
      where,
      `has a tokenizer whose regular expressions took longer than ${ENCODING_SECONDS} s for one text`,
    ),
  rendering: (where) => limited(RENDERING_SECONDS, where, `did not finish within ${RENDERING_SECONDS} s`),
};

function limited(seconds: number, where: string, fault: string) {
  const limit = new TimeLimit();
  return <T>(work: () => T): T => {
    try {
      return limit.run(work, 1000 * seconds);
    } catch (error) {
      throw error instanceof TookTooLong ? new UserError({ where, fault }) : error;
    }
  };
}
