/** The white space of Python's `str.split`, `strip` and `isspace`, for a regular expression's character class. */
export const PYTHON_SPACE =
  '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

/**
 * Removes matching characters from the end of a text. A regular expression with `$` would take quadratic time: it
 * starts again at every space of a run of spaces.
 */
export function trimEnd(text: string, characters: RegExp): string {
  let end = text.length;
  while (end > 0 && characters.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}
