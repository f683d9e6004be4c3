/** A string, or a number with a fraction or an exponent. */
const TEXT_OR_FLOAT = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Marks a string that stands for a number. Strings in a file do not begin with it. */
const MARK = '\u0000';
const MARKED = /"\\u0000(-?\d[\d.eE+-]*)"/g;

/**
 * Changes the object in a JSON text. Numbers keep their spelling, because JavaScript writes 0.0 as 0, which readers
 * in other languages take as an integer. `change` receives such numbers as strings and must only pass them on.
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
