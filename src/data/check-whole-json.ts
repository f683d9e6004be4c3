import { checkJsonSize } from '../formats/bounded-json.ts';

/** A quarter of a million questions of SQuAD with their answers have as many. */
const LIMITS = { depth: 64, values: 4_000_000 };

/**
 * Holds a file of data that is one value of JSON, such as SQuAD's, to its limits before anything is made of it.
 *
 * @throws UserError where it is deeper or has more values than memory holds
 */
export function checkWholeJson(content: string, fileName: string): void {
  const hint = 'Split the file, or write its rows as JSON Lines.';
  checkJsonSize(new TextEncoder().encode(content), LIMITS, fileName, hint);
}
