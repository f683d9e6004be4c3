import type { InputShape } from '../assert-input.ts';
import type { ReadingOf } from '../task-definition.ts';
import type { LabelledData } from './data-section.ts';

/** What rows of files have beside their texts. */
const OTHERS = ['line', 'id', 'place', 'label'];

/** Texts, or pairs of them, as in the run; a model of no run here, which has no column of labels, may be of either. */
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
