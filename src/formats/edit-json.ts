/** A text in quotation marks, or a number with a fraction or an exponent. */
const TEXT_OR_FLOAT = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Marks a number that has become a text for a while; no text of a file begins with it. */
const MARK = '\u0000';
const MARKED = /"\\u0000(-?\d[\d.eE+-]*)"/g;

/**
 * Changes the object in a JSON text. Numbers keep their spelling: 0.0, which JavaScript writes as 0, is no integer to
 * the reader of another language. `change` is given such numbers as texts, and only hands them on.
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
