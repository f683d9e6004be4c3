/**
 * Removes matching characters from the end of a text. A regular expression with `$` would take quadratic time: it
 * starts again at every space of a run of spaces.
 */
export function trimEnd(text: string, characters: RegExp): string {
  let end = text.length;
  while (end > 0 && characters.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}
