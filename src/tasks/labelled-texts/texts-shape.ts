import type { InputShape } from '../assert-input.ts';
import type { ReadingOf } from '../task-definition.ts';
import type { LabelledData } from './data-section.ts';

/** Names of the keys that rows of files have besides their texts. */
const OTHERS = ['line', 'id', 'place', 'label', 'image', 'picture'];

/** Texts or pairs, as in the run. Without a run, there is no label column, and both are accepted. */
export function textsShape({ text_pair, label }: Partial<ReadingOf<LabelledData>>): InputShape {
  const text = { is: 'a string' } as const;
  const others = OTHERS;
  if (text_pair !== undefined)
    return { keys: { text, textPair: { ...text, why: 'its run is on pairs of texts' } }, others };
  const textPair =
    label === undefined
      ? ({ ...text, optional: true } as const)
      : ({ is: 'nothing', why: 'its run is on single texts' } as const);
  return { keys: { text, textPair }, others };
}
