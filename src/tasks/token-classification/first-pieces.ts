import { NO_WORD } from '../../text/encode-words.ts';

/** Where the words of an input begin. A word without pieces, or cut off, is not among them. */
export interface FirstPieces {
  /** [words], from 0 and rising. */
  words: Int32Array;
  /** [words]; the position of each one's first piece: it carries the word's label and tells its tag. */
  positions: Int32Array;
}

/** @param wordIds [length], see `wordEncoder` */
export function firstPieces(wordIds: Int32Array): FirstPieces {
  const positions = Int32Array.from(wordIds.keys()).filter(
    (at) => wordIds[at] !== NO_WORD && wordIds[at] !== wordIds[at - 1],
  );
  return { words: positions.map((at) => wordIds[at]), positions };
}
