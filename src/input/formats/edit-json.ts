/** Matches a string or a number. */
const TEXT_OR_FLOAT = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Marks a string that represents a number. No string in a file begins with this character. */
const MARK = '\u0000';
const MARKED = /"\\u0000(-?\d[\d.eE+-]*)"/g;

/**
 * Changes the object in a JSON text, and keeps numbers as they are written. JavaScript would write 0.0 as 0,
 * which other languages read as an integer. `change` gets such numbers as strings, and must not alter them.
 *
 * @param text valid JSON
 */
export function editJson(
  text: string,
  change: (object: Record<string, unknown>) => Record<string, unknown>,
): string {
  const marked = text.replace(TEXT_OR_FLOAT, (token) =>
    /^[^"].*[.eE]/.test(token) ? JSON.stringify(MARK + token) : token,
  );
  return JSON.stringify(change(JSON.parse(marked)), null, 2).replace(MARKED, '$1');
}
