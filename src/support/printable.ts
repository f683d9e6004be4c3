/** Makes a text from outside safe for a terminal: control characters and direction marks are escaped. */
export function printable(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, spelt);
}

/** Makes data safe for a terminal: control characters that do not occur in text are escaped. */
export function withoutControls(text: string): string {
  return text.replace(/(?![\n\t\r])\p{Cc}/gu, spelt);
}

function spelt(character: string): string {
  const code = character.codePointAt(0) as number;
  return `\\u{${code.toString(16)}}`;
}
