import type { InputShape } from '../assert-input.ts';
import type { ReadingOf } from '../prediction.ts';
import type { LabelledData } from './data-section.ts';
import type { RowInput } from './encoded-set.ts';

/** A text or a pair of texts to predict for, with the names of a config's `data` section. */
export interface TextInput {
  text: string;
  /** The second text, for a run on pairs. */
  text_pair?: string | undefined;
  id?: string;
}

/** Rows of a file as inputs. */
export function toInputs(rows: readonly RowInput[]): TextInput[] {
  return rows.map(({ textPair, ...row }) => ({
    ...row,
    ...(textPair !== undefined && { text_pair: textPair }),
  }));
}

/** Inputs as rows. */
export function toRows(inputs: readonly TextInput[]): RowInput[] {
  return inputs.map(({ text_pair, ...row }) => ({
    ...row,
    ...(text_pair !== undefined && { textPair: text_pair }),
  }));
}

/** Names of the keys that rows of files have besides their texts. */
const OTHERS = ['line', 'id', 'place', 'label', 'image', 'picture'];

/** Texts or pairs, as in the run. Without a run, there is no label column, and both are accepted. */
export function textsShape({ text_pair, label }: Partial<ReadingOf<LabelledData>>): InputShape {
  const text = { is: 'a string' } as const;
  const others = OTHERS;
  if (text_pair !== undefined)
    return { keys: { text, text_pair: { ...text, why: 'its run is on pairs of texts' } }, others };
  const pair =
    label === undefined
      ? ({ ...text, optional: true } as const)
      : ({ is: 'nothing', why: 'its run is on single texts' } as const);
  return { keys: { text, text_pair: pair }, others };
}
