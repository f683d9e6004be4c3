import { NO_WORD } from '../../input/text/encode-words.ts';

/** The first pieces of an input's words. Truncated words and words without pieces are missing. */
export interface FirstPieces {
  /** Indices of the words, from 0, ascending: [words]. */
  words: Int32Array;
  /** Positions of the words' first pieces: [words]. A first piece has the word's label and predicts its tag. */
  positions: Int32Array;
}

/**
 * Finds the first piece of each word.
 *
 * @param wordIds [length], see `wordEncoder`
 */
export function firstPieces(wordIds: Int32Array): FirstPieces {
  const positions = Int32Array.from(wordIds.keys()).filter(
    (at) => wordIds[at] !== NO_WORD && wordIds[at] !== wordIds[at - 1],
  );
  return { words: positions.map((at) => wordIds[at]!), positions };
}
