/** The position of the quotation mark that closes the JSON string at `start`; -1 if the string is not closed. */
export function endOfString(content: string, start: number): number {
  for (let at = content.indexOf('"', start + 1); at >= 0; at = content.indexOf('"', at + 1)) {
    let escapes = 0;
    while (content[at - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return at;
  }
  return -1;
}
