import type { Row } from '../../input/data/rows.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import { labelFeed } from '../../program/objectives/sequence-loss.ts';
import type { EncodingContext } from '../prediction.ts';
import type { LabelledData } from './data-section.ts';

/** The parts of a row from which its label is predicted. */
export type RowInput = Pick<Row, 'text' | 'textPair' | 'id' | 'picture'>;

/**
 * Encodes each text, pair or picture as a separate example.
 *
 * @param targets see `toTargets`; without them, the batches are for prediction only
 */
export function encodedSet(
  rows: readonly RowInput[],
  { modality, isTraining, reading, seed, classWeights, communicator }: EncodingContext<LabelledData>,
  targets?: Int32Array | Float32Array,
): ExampleSet {
  const augment = isTraining && reading.augment === 'light' ? seed : undefined;
  const encoded = modality.rows(rows, { communicator, augment });
  return {
    lengths: encoded.lengths,
    truncated: encoded.truncated,
    batch: (examples, number) => ({
      feeds: {
        ...encoded.feeds([...examples], number),
        ...(targets && labelFeed(targets, examples, rows.length)),
      },
      weight: computeWeight(examples, targets, classWeights),
    }),
  };
}

/** The weight of examples in the mean over a step's batches: their number, or the sum of their classes' weights. */
export function computeWeight(
  examples: Int32Array,
  targets: Int32Array | Float32Array | undefined,
  classWeights: readonly number[] | undefined,
): number {
  if (!classWeights || !targets) return examples.length;
  return examples.reduce((sum, example) => sum + classWeights[targets[example]!]!, 0);
}
