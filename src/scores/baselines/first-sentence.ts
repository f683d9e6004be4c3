/**
 * The first sentence of a text. It ends at a line end, or at a full stop, exclamation mark or question mark
 * before a space.
 */
export function firstSentence(text: string): string {
  const [sentence] = /^.*?(?:[.!?]["'”’)]*(?=\s)|$)/m.exec(text.trimStart()) ?? [''];
  return sentence;
}
