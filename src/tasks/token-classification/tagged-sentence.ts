/** A sentence as a list of words. In labeled data, each word has a tag. */
export interface TaggedSentence {
  /** The line of the file on which the sentence starts, from 1. */
  line: number;
  words: readonly string[];
  /** One tag per word. Empty in data without labels. */
  tags: readonly string[];
  /** The line of each word, if each word has its own line. */
  lines?: readonly number[];
}

/** The places of words and tags in a file: keys of JSON Lines, or numbers of CoNLL columns from 0. */
export interface WordColumns {
  /** Key or column of the words. Default: `tokens` or `words` in JSON Lines, else the first column. */
  words?: string | number;
  /** Key or column of the tags. Default: `ner_tags`, `tags` or `labels` in JSON Lines, else the last column. */
  tags?: string | number;
  /** All tags. JSON Lines may contain indices into this list instead of tags. */
  label_names?: readonly string[];
}

/** The line of a word, or of its sentence if the lines of words are unknown. */
export function lineOf({ line, lines }: TaggedSentence, word: number): number {
  return lines?.[word] ?? line;
}
