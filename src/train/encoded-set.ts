import type { LabelMap } from '../data/labels.ts';
import type { Row } from '../data/row.ts';
import type { TaskType } from '../data/task-type.ts';
import { toTargets } from '../data/to-targets.ts';
import type { Encoding, TextTokenizer } from '../text/tokenizer.ts';

/** A data set as the model takes it. */
export interface EncodedSet {
  encodings: readonly Encoding[];
  /** Tokens of each example. */
  lengths: Int32Array;
  /** See {@link toTargets}. */
  targets: Int32Array | Float32Array;
  /** Texts that were cut to the length allowed. */
  truncated: number;
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
  const encodings = rows.map(({ text, textPair }) => tokenizer.encode(text, textPair, maxLength));
  return {
    encodings,
    targets,
    lengths: Int32Array.from(encodings, ({ inputIds }) => inputIds.length),
    truncated: encodings.reduce((count, { truncated }) => count + Number(truncated), 0),
  };
}
