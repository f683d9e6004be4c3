import { checkJsonSize } from '../formats/bounded-json.ts';

/** Enough for a quarter of a million SQuAD questions with answers. */
const LIMITS = { depth: 64, values: 4_000_000 };

/**
 * Checks the limits of a data file before it is parsed, if the whole file is one JSON value, such as SQuAD's.
 *
 * @throws UserError if its nesting depth or number of values exceeds the limits
 */
export function checkWholeJson(content: string, fileName: string): void {
  const hint = 'Split the file, or write its rows as JSON Lines.';
  checkJsonSize(new TextEncoder().encode(content), LIMITS, fileName, hint);
}
