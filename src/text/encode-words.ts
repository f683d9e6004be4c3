import { concatenated } from '../support/concatenated.ts';
import { UserError } from '../support/user-error.ts';
import { TokenBuffer } from './token-buffer.ts';
import type { Encoding, TextTokenizer } from './tokenizer.ts';

/** The word of special tokens. */
export const NO_WORD = -1;

/** An input of a model that was given as words. */
export interface WordsEncoding extends Encoding {
  /** [length]; of which word a token is a piece, from 0, {@link NO_WORD} for special tokens. */
  wordIds: Int32Array;
}

/**
 * Makes tokens of words, each by itself, between the special tokens of a single text: as transformers' fast tokenizers
 * with `is_split_into_words=True`, whose `word_ids()` are the `wordIds`. Some words have no pieces (those of invisible
 * characters). What is longer than `maxLength` is cut at its end, in the middle of a word if need be.
 *
 * @throws UserError when `maxLength` leaves no room beside the special tokens
 */
export function wordEncoder(
  tokenizer: TextTokenizer,
  maxLength: number,
): (words: readonly string[]) => WordsEncoding {
  const wordTokenizer = tokenizer.forWords();
  const { before, after } = tokenizer.frame();
  const special = before.length + after.length;
  const room = maxLength - special;
  if (room < 1) {
    const expected = `at least ${special + 1}, as ${special} tokens are special`;
    throw new UserError({ where: 'data.max_length', expected, got: `${maxLength}` });
  }
  const noWords = (tokens: Int32Array) => new Int32Array(tokens.length).fill(NO_WORD);
  return (words) => {
    const tokens = new TokenBuffer();
    const wordIds = new TokenBuffer();
    for (let word = 0; word < words.length && tokens.length <= room; word++) {
      const pieces = wordTokenizer.ids(words[word]);
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
