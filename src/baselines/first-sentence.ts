/**
 * The first sentence of a text: up to a full stop, an exclamation mark or a question mark before a space, or a line
 * end.
 */
export function firstSentence(text: string): string {
  const [sentence] = /^.*?(?:[.!?]["'”’)]*(?=\s)|$)/m.exec(text.trimStart()) ?? [''];
  return sentence;
}
