import { Characters } from './characters.ts';
import type { GivenAnswer } from './question.ts';
import { CONTEXT, type SpanFeature } from './span-features.ts';

/** The first and the last token of an answer. */
export interface SpanLabels {
  start: number;
  end: number;
}

/**
 * Finds the tokens of an answer in a feature, as run_qa.py does. They are those of `cls` if there is no answer or the
 * window does not contain all of it. If an answer begins in the last token of the context, run_qa.py continues to the
 * last token of the feature, because special tokens have the offset 0. This function does the same, without padding.
 */
export function spanLabels(
  { starts, ends, sequenceIds }: SpanFeature,
  answer: GivenAnswer | undefined,
  cls: number,
): SpanLabels {
  const none = { start: cls, end: cls };
  let first = sequenceIds.indexOf(CONTEXT);
  let last = sequenceIds.lastIndexOf(CONTEXT);
  if (!answer || first < 0) return none;
  const stop = answer.start + new Characters(answer.text).length;
  if (starts[first] > answer.start || ends[last] < stop) return none;
  while (first < starts.length && starts[first] <= answer.start) first++;
  while (last >= 0 && ends[last] >= stop) last--;
  return { start: first - 1, end: last + 1 };
}
