/** Makes a text from outside safe for a terminal: escapes control characters and direction marks. */
export function printable(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, spelt);
}

/** Makes data safe for a terminal: escapes control characters that do not occur in text. */
export function withoutControls(text: string): string {
  return text.replace(/(?![\n\t\r])\p{Cc}/gu, spelt);
}

function spelt(character: string): string {
  const code = character.codePointAt(0) as number;
  return `\\u{${code.toString(16)}}`;
}
