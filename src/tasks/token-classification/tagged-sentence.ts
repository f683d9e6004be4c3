/** A sentence as words, with the tag of each if data are labelled. */
export interface TaggedSentence {
  /** The line of the file on which it starts, from 1. */
  line: number;
  words: readonly string[];
  /** One per word; empty in data without labels. */
  tags: readonly string[];
  /** The line of each word, if words are on separate lines. */
  lines?: readonly number[];
}

/** The words and tags of a file: keys of JSON Lines, numbers of CoNLL columns from 0. */
export interface WordColumns {
  /** Default: `tokens` or `words`; the first column. */
  words?: string | number;
  /** Default: `ner_tags`, `tags` or `labels`; the last column. */
  tags?: string | number;
  /** All tags. If JSON Lines have numbers instead of tags, these are indices in this list. */
  label_names?: readonly string[];
}

/** The line of a word, or at least of its sentence. */
export function lineOf({ line, lines }: TaggedSentence, word: number): number {
  return lines?.[word] ?? line;
}
