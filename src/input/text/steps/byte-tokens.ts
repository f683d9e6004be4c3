import type { PieceToken } from './model.ts';
import type { Vocabulary } from './vocabulary.ts';

/** GPT-2's character for each byte: the byte's own character if visible, otherwise a character from U+0100 on. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isSeen = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(isSeen ? byte : next++);
  });
})();

/**
 * Returns a function that maps a text to the tokens `<0x..>` of its bytes. Undefined if one of these tokens is not in
 * the vocabulary.
 */
export function byteTokens(vocabulary: Vocabulary) {
  const tokens = Array.from({ length: 256 }, (_, byte) => {
    const token = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    return { token, id: vocabulary.idOf(token) };
  });
  const encoder = new TextEncoder();
  return (text: string, from: number, to: number): PieceToken[] | undefined => {
    const made: PieceToken[] = [];
    for (const byte of encoder.encode(text)) {
      const { token, id } = tokens[byte]!;
      if (id === undefined) return undefined;
      made.push({ id, token, from, to });
    }
    return made;
  };
}
