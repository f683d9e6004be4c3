/** A text that names what others have named, as it may go to a terminal: its control characters and turns of direction are spelt. */
export function printable(text: string): string {
  return text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, spelt);
}

/** A text as data, which may be looked at in a terminal all the same: control characters that no text has are spelt. */
export function withoutControls(text: string): string {
  return text.replace(/(?![\n\t\r])\p{Cc}/gu, spelt);
}

function spelt(character: string): string {
  const code = character.codePointAt(0) as number;
  return `\\u{${code.toString(16)}}`;
}
