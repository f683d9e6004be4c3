import { concatenated } from '../../support/arrays.ts';
import type { Encoding } from './encoding.ts';
import { TokenBuffer } from './token-sequences.ts';
import { noRoom, type TextTokenizer } from './tokenizer.ts';

/** The word index of special tokens. */
export const NO_WORD = -1;

/** A model input that was made from words. */
export interface WordsEncoding extends Encoding {
  /** [length]; the index of each token's word, from 0, or {@link NO_WORD} for special tokens. */
  wordIds: Int32Array;
}

/**
 * Tokenizes words separately and adds the special tokens of a single text, like transformers' fast tokenizers with
 * `is_split_into_words=True`. `wordIds` equals their `word_ids()`. Words of invisible characters may have no pieces.
 * Input longer than `maxLength` is truncated at its end, inside a word if necessary.
 *
 * @throws UserError if `maxLength` leaves no room besides the special tokens
 */
export function wordEncoder(
  tokenizer: TextTokenizer,
  maxLength: number,
): (words: readonly string[]) => WordsEncoding {
  const wordTokenizer = tokenizer.forWords();
  const { before, after } = tokenizer.frame();
  const special = before.length + after.length;
  const room = maxLength - special;
  if (room < 1) throw noRoom(special, 1, maxLength);
  const noWords = (tokens: Int32Array) => new Int32Array(tokens.length).fill(NO_WORD);
  return (words) => {
    const tokens = new TokenBuffer();
    const wordIds = new TokenBuffer();
    for (let word = 0; word < words.length && tokens.length <= room; word++) {
      const pieces = wordTokenizer.ids(words[word]!);
      tokens.append(pieces);
      for (let piece = 0; piece < pieces.length; piece++) wordIds.push(word);
    }
    const inputIds = concatenated(before, tokens.slice(0, room), after);
    return {
      inputIds,
      tokenTypeIds: new Int32Array(inputIds.length),
      wordIds: concatenated(noWords(before), wordIds.slice(0, room), noWords(after)),
      truncated: tokens.length > room,
    };
  };
}
