import { checkJsonSize } from '../formats/bounded-json.ts';

/** Enough for a quarter of a million SQuAD questions with answers. */
const LIMITS = { depth: 64, values: 4_000_000 };

/**
 * Checks a data file that is a single JSON value, such as SQuAD's, against its limits before it is parsed.
 *
 * @throws UserError if its nesting depth or number of values exceeds the limits
 */
export function checkWholeJson(content: string, fileName: string): void {
  const hint = 'Split the file, or write its rows as JSON Lines.';
  checkJsonSize(new TextEncoder().encode(content), LIMITS, fileName, hint);
}
