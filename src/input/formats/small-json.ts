import { type JsonLimits, parseBoundedJson } from './bounded-json.ts';

/**
 * Maximum size of a settings file. A config.json has some kilobytes. With many label names or a rank pattern,
 * it has some megabytes.
 */
export const MAX_JSON_BYTES = 16 * 2 ** 20;
/** Sections are nested a few levels deep. The longest lists are rank patterns and label names. */
const JSON_LIMITS: JsonLimits = { depth: 64, values: 4_000_000 };

/**
 * Parses a settings file of at most {@link MAX_JSON_BYTES}.
 *
 * @param where the file's name in messages
 * @throws UserError if it is not valid JSON, too deep, or has a duplicate key
 */
export function parseSmallJson(bytes: Uint8Array, where: string): unknown {
  return parseBoundedJson(bytes, JSON_LIMITS, where);
}
