import { shallowJson } from '../../../input/data/json.ts';
import { readText } from '../../../input/formats/node/read-text.ts';
import { InvalidFile } from '../../../support/user-error.ts';

/** The approximate size of a log of a million steps. A longer log would not fit into one string. */
const MAX_BYTES = 2 ** 28;
/**
 * Maximum number of invalid lines. A killed run leaves one. An invalid line takes as long to parse as many valid lines.
 */
const MAX_DAMAGED = 1000;

/**
 * Reads the JSON values of a run's log, one per line. Skips lines that are not JSON, such as an incomplete last line.
 *
 * @throws UserError for a log with more than `MAX_DAMAGED` invalid lines
 */
export function logValues(path: string): unknown[] {
  let damaged = 0;
  return readText(path, 'the log of a run', MAX_BYTES)
    .split('\n')
    .flatMap((line) => {
      if (line === '') return [];
      try {
        return [shallowJson(line)];
      } catch {
        if (++damaged <= MAX_DAMAGED) return [];
        throw new InvalidFile({ where: path, fault: `has more than ${MAX_DAMAGED} lines that are not JSON` });
      }
    });
}
