/** A sentence as words. Labelled data also have the tag of each word. */
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
  /** Key or column of the words. Default: `tokens` or `words` in JSON Lines, else the first column. */
  words?: string | number;
  /** Key or column of the tags. Default: `ner_tags`, `tags` or `labels` in JSON Lines, else the last column. */
  tags?: string | number;
  /** All tags. JSON Lines may contain indices into this list instead of tags. */
  label_names?: readonly string[];
}

/** The line of a word; without lines of words, that of its sentence. */
export function lineOf({ line, lines }: TaggedSentence, word: number): number {
  return lines?.[word] ?? line;
}
