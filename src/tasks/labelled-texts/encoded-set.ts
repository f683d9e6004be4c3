import type { Row } from '../../input/data/rows.ts';
import { collate } from '../../input/text/batches.ts';
import type { TextTokenizer } from '../../input/text/tokenizer.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import { modelFeeds } from '../../program/objectives/model-inputs.ts';
import { labelFeed } from '../../program/objectives/sequence-loss.ts';
import type { Communicator } from '../../program/parallel/communicator.ts';
import { InvalidData } from '../../support/user-error.ts';
import { PictureSet } from '../picture-set.ts';
import type { EncodingContext } from '../task-definition.ts';
import type { LabelledData } from './data-section.ts';
import { encodeRows } from './encode-rows.ts';

/** The parts of a row from which its label is predicted. */
export type Texts = Pick<Row, 'text' | 'textPair' | 'id' | 'picture'>;

/**
 * Encodes each text or pair as a separate example.
 *
 * @param targets see `toTargets`; without them, the batches are for prediction only
 * @param classWeights weight of each class in the mean over a step's batches; by default 1
 * @param communicator the processes that share the encoding
 */
export function encodedSet(
  rows: readonly Texts[],
  tokenizer: TextTokenizer,
  maxLength: number,
  targets?: Int32Array | Float32Array,
  { classWeights, communicator }: { classWeights?: readonly number[]; communicator?: Communicator } = {},
): ExampleSet {
  const encodings = encodeRows(rows, tokenizer, maxLength, communicator);
  return {
    lengths: Int32Array.from(encodings, ({ inputIds }) => inputIds.length),
    truncated: encodings.reduce((count, { truncated }) => count + Number(truncated), 0),
    batch(examples) {
      const batch = collate(
        Array.from(examples, (example) => encodings[example]!),
        tokenizer.padId,
      );
      const labels = targets && labelFeed(targets, examples, encodings.length);
      return {
        feeds: { ...modelFeeds(batch), ...labels },
        weight: weightOf(examples, targets, classWeights),
      };
    },
  };
}

/**
 * Makes each picture a separate example.
 *
 * @param targets as for {@link encodedSet}
 */
export function pictureExamples(
  rows: readonly Texts[],
  context: EncodingContext<LabelledData>,
  targets?: Int32Array | Float32Array,
): ExampleSet {
  const set = pictureSetOf(rows, context);
  const { isTraining, reading, seed, classWeights } = context;
  const augments = isTraining && reading.augment === 'light';
  return {
    lengths: set.lengths,
    truncated: set.truncated,
    batch: (examples, number) => ({
      feeds: {
        ...(augments ? set.augmented([...examples], seed, number) : set.feeds([...examples])),
        ...(targets && labelFeed(targets, examples, rows.length)),
      },
      weight: weightOf(examples, targets, classWeights),
    }),
  };
}

/** The pictures of rows. */
export function pictureSetOf(rows: readonly Texts[], { pictures, maxLength }: EncodingContext): PictureSet {
  const all = rows.map(({ picture, text }) => {
    if (picture) return picture;
    throw new InvalidData({ where: text, fault: 'is no picture, but the model reads pictures' });
  });
  return new PictureSet(all, pictures!, maxLength);
}

/** The weight of examples in the mean over a step's batches: their number, or the sum of their classes' weights. */
export function weightOf(
  examples: Int32Array,
  targets: Int32Array | Float32Array | undefined,
  classWeights: readonly number[] | undefined,
): number {
  if (!classWeights || !targets) return examples.length;
  return examples.reduce((sum, example) => sum + classWeights[targets[example]!]!, 0);
}
