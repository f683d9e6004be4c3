import type { LabelMap } from '../data/labels.ts';
import type { Row } from '../data/row.ts';
import type { TaskType } from '../data/task-type.ts';
import { toTargets } from '../data/to-targets.ts';
import type { Encoding, TextTokenizer } from '../text/tokenizer.ts';

/** What is read of a row to predict its label. */
export type Texts = Pick<Row, 'text' | 'textPair'>;

/** Texts as the model takes them. */
export interface EncodedTexts {
  encodings: readonly Encoding[];
  /** Tokens of each text. */
  lengths: Int32Array;
  /** Texts that were cut to the length allowed. */
  truncated: number;
}

/** A labelled data set as the model takes it. */
export interface EncodedSet extends EncodedTexts {
  /** See {@link toTargets}. */
  targets: Int32Array | Float32Array;
}

/** Tokenizes rows and looks up their labels. */
export function encodeSet(
  rows: readonly Row[],
  tokenizer: TextTokenizer,
  maxLength: number,
  task: TaskType,
  labels: LabelMap,
  fileName: string,
): EncodedSet {
  const targets = toTargets(rows, task, labels, fileName);
  return { ...encodeTexts(rows, tokenizer, maxLength), targets };
}

/** Tokenizes rows, with or without labels. */
export function encodeTexts(
  rows: readonly Texts[],
  tokenizer: TextTokenizer,
  maxLength: number,
): EncodedTexts {
  const encodings = rows.map(({ text, textPair }) => tokenizer.encode(text, textPair, maxLength));
  return {
    encodings,
    lengths: Int32Array.from(encodings, ({ inputIds }) => inputIds.length),
    truncated: encodings.reduce((count, { truncated }) => count + Number(truncated), 0),
  };
}
