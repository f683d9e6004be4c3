/** A sentence as words, with the tag of each where data are labelled. */
export interface TaggedSentence {
  /** Line of the file on which it starts, from 1. */
  line: number;
  words: readonly string[];
  /** As many as words; none in data without labels. */
  tags: readonly string[];
  /** The line of each word, where they have lines of their own. */
  lines?: readonly number[];
}

/** Where a file has words and tags: keys of JSON Lines, numbers of CoNLL columns from 0. */
export interface WordColumns {
  /** Default: `tokens` or `words`; the first column. */
  words?: string | number;
  /** Default: `ner_tags`, `tags` or `labels`; the last column. */
  tags?: string | number;
  /** All tags there are. Where JSON Lines have numbers instead of tags, these are places in this list. */
  label_names?: readonly string[];
}

/** The line of a word, or at least that of its sentence. */
export function lineOf({ line, lines }: TaggedSentence, word: number): number {
  return lines?.[word] ?? line;
}
