/**
 * A text without the characters at its end that match. Not by an expression with an end: that would begin anew at every space
 * of a row of spaces.
 */
export function trimEnd(text: string, characters: RegExp): string {
  let end = text.length;
  while (end > 0 && characters.test(text[end - 1])) end--;
  return text.slice(0, end);
}
