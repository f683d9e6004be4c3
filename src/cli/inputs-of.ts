import type { TextFile } from '../data/text-file.ts';
import { printable } from '../support/printable.ts';
import type { Prediction } from '../tasks/prediction.ts';
import type { BaseData, ReadingOf } from '../tasks/task-definition.ts';

/** What is to be answered. */
interface Inputs {
  inputs: unknown[];
  /** Of each input among all rows, from 0: those that were left out have theirs. */
  places: number[];
  /** Rows that were left out. */
  skipped: number;
}

/** Reads files, or what came by standard input, and tells of rows that are left out. */
export function inputsOf(
  sources: readonly (TextFile | string)[],
  { inputs, typed }: Prediction<BaseData, unknown>,
  reading: ReadingOf<BaseData>,
): Inputs {
  const all: Inputs = { inputs: [], places: [], skipped: 0 };
  for (const source of sources) {
    const before = all.inputs.length + all.skipped;
    const onSkipped = (message: string, count: number) => {
      console.error(printable(message));
      all.skipped += count;
    };
    const found =
      typeof source === 'string'
        ? typed(source, reading, onSkipped)
        : inputs(
            source.read((message) => console.error(printable(message))),
            source.name,
            reading,
            onSkipped,
          );
    for (const [i, input] of found.entries()) {
      const { place = i } = Object(input) as { place?: number };
      all.inputs.push(input);
      all.places.push(before + place);
    }
  }
  return all;
}
