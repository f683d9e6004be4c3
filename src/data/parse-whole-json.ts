import { checkJsonSize } from '../formats/bounded-json.ts';

/** A quarter of a million questions of SQuAD with their answers have as many. */
const LIMITS = { depth: 64, values: 4_000_000 };

/**
 * The value of a file of data that is one value of JSON, such as SQuAD's, as `JSON.parse` reads it.
 *
 * @throws UserError where it is deeper or has more values than memory holds, and a SyntaxError for what is no JSON
 */
export function parseWholeJson(content: string, fileName: string): unknown {
  const hint = 'Split the file, or write its rows as JSON Lines.';
  checkJsonSize(new TextEncoder().encode(content), LIMITS, fileName, hint);
  return JSON.parse(content);
}
