import type { TextFile } from '../data/text-file.ts';
import { printable } from '../support/printable.ts';
import type { Prediction } from '../tasks/prediction.ts';
import type { BaseData, ReadingOf } from '../tasks/task-definition.ts';

/** Inputs for prediction. */
interface Inputs {
  inputs: unknown[];
  /** The index of each input among all rows, from 0. Skipped rows are counted. */
  places: number[];
  /** Number of skipped rows. */
  skipped: number;
}

/** Reads inputs from files or standard input, and warns about skipped rows. */
export function inputsOf(
  sources: readonly (TextFile | string)[],
  { input: { parse, typed } }: Prediction<BaseData, unknown>,
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
        : parse(
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
