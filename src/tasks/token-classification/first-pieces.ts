import { NO_WORD } from '../../text/encode-words.ts';

/** The positions of an input's words. A word without pieces, or truncated, is not among them. */
export interface FirstPieces {
  /** [words], from 0 and ascending. */
  words: Int32Array;
  /** [words]; the position of each word's first piece, which carries its label and predicts its tag. */
  positions: Int32Array;
}

/**
 * @param wordIds [length], see `wordEncoder`
 */
export function firstPieces(wordIds: Int32Array): FirstPieces {
  const positions = Int32Array.from(wordIds.keys()).filter(
    (at) => wordIds[at] !== NO_WORD && wordIds[at] !== wordIds[at - 1],
  );
  return { words: positions.map((at) => wordIds[at]), positions };
}
