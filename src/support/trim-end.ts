/**
 * Removes matching characters from the end of a text. A regular expression with `$` would be quadratic: it tries
 * again at every space of a run of spaces.
 */
export function trimEnd(text: string, characters: RegExp): string {
  let end = text.length;
  while (end > 0 && characters.test(text[end - 1])) end--;
  return text.slice(0, end);
}
