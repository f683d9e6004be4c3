import { endOfString } from './end-of-string.ts';

/** Conversations only need a depth of four. */
const MAX_DEPTH = 64;

/**
 * Parses JSON after checking its depth. Without the check, eight million brackets take six seconds and half a
 * gigabyte.
 *
 * @throws SyntaxError for invalid or too deeply nested JSON
 */
export function shallowJson(source: string, parse: (source: string) => unknown = JSON.parse): unknown {
  const tokens = /["[\]{}]/g;
  let depth = 0;
  for (let match = tokens.exec(source); match; match = tokens.exec(source)) {
    const [token] = match;
    if (token === '"') {
      const end = endOfString(source, match.index);
      if (end < 0) break;
      tokens.lastIndex = end + 1;
    } else if (token === '[' || token === '{') {
      if (++depth > MAX_DEPTH) throw new SyntaxError('too deeply nested lists or objects');
    } else depth--;
  }
  return parse(source);
}
