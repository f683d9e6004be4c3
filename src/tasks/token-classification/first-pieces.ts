import { NO_WORD } from '../../text/encode-words.ts';

/** The positions of an input's words. Truncated words and words without pieces are missing. */
export interface FirstPieces {
  /** [words], from 0 and ascending. */
  words: Int32Array;
  /** [words]; the position of each word's first piece. This piece carries the label and predicts the tag. */
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
  return { words: positions.map((at) => wordIds[at]), positions };
}
