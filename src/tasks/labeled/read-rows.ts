import type { Row } from '../../input/data/rows.ts';
import { type ExampleSet, type RowModel, someExamples } from '../../program/example-set.ts';
import { layerOutputs, rowFeatures } from '../../program/objectives/sentence-classifier.ts';
import { labelFeed } from '../../program/objectives/sequence-loss.ts';
import { predictRows } from '../../program/predict-batches.ts';
import type { Predictor } from '../../program/program.ts';
import type { EncodingContext } from '../prediction.ts';
import { promptFor } from '../sentence-vectors.ts';
import { classifiesVectors, type LabeledData } from './data-section.ts';
import type { Targets } from './label-kind.ts';

/** The parts of a row from which its label is predicted. */
export type RowInput = Pick<Row, 'text' | 'textPair' | 'id' | 'content'>;

type Context = EncodingContext<LabeledData>;

/** Texts, pairs or files in the form that the model reads: a classification head's, or a linear layer's on vectors. */
interface ReadRows {
  examples: ExampleSet;
  /** Computes the logits of some rows, for each of them [outputs]. */
  logits(
    model: Omit<RowModel, 'program'> & { program: Predictor },
    rows: Int32Array,
  ): Promise<Float32Array[]>;
  features(model: Omit<RowModel, 'layer'>, rows: Int32Array): Promise<Float32Array[]>;
}

/**
 * Encodes rows.
 *
 * @param targets see `ToTargets`; without them, the batches are for prediction only
 */
export function readLabeledRows(
  rows: readonly RowInput[],
  context: Context,
  batchSize: number,
  targets?: Targets,
): ReadRows {
  if (classifiesVectors(context.reading)) return vectorRows(rows, context, batchSize, targets);
  const examples = headRows(rows, context, targets);
  return {
    examples,
    logits: ({ program, values }, rows) =>
      predictRows(program, values, someExamples(examples, rows), batchSize),
    features() {
      throw new Error('the features of a classification head are no sentence vectors');
    },
  };
}

/** Each text, pair or file is a separate example. */
function headRows(
  rows: readonly RowInput[],
  { modality, isTraining, reading, seed, classWeights }: Context,
  targets?: Targets,
): ExampleSet {
  const augment = isTraining && reading.augment === 'light' ? seed : undefined;
  const encoded = modality.rows(rows, { augment });
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

/** Each text of a row, or its file, has a vector. A text that occurs several times is computed once. */
function vectorRows(
  rows: readonly RowInput[],
  { config, modality, classWeights }: Context,
  batchSize: number,
  targets?: Targets,
): ReadRows {
  const prompt = promptFor('text', {}, config);
  const width = rows.some(({ textPair }) => textPair !== undefined) ? 2 : 1;
  const items = rows.map(({ text, textPair = '', content }) =>
    [text, textPair].slice(0, width).map((one) => modality.item({ text: one, content }, prompt)),
  );
  const set = modality.set(items.flat());
  const groups = items.map((row) => row.map((item) => set.numberOf(item)));
  const features = async (predictor: Predictor, values: Float32Array, rows: Int32Array) => {
    const used = [...new Set(Array.from(rows, (row) => groups[row]!).flat())];
    const vectors = await set.vectors(predictor, values, batchSize, used);
    const vectorOf = new Map(used.map((text, i) => [text, vectors[i]!]));
    return Array.from(rows, (row) => rowFeatures(groups[row]!.map((number) => vectorOf.get(number)!)));
  };
  return {
    examples: set.groups(groups, (examples) => ({
      feeds: targets ? labelFeed(targets, examples, rows.length) : {},
      weight: computeWeight(examples, targets, classWeights),
    })),
    features({ program, values }, rows) {
      const predict = program.vectors.bind(program);
      return features({ communicator: program.communicator, predict }, values, rows);
    },
    async logits({ program, values, layer }, rows) {
      if (!layer) throw new Error('a model of sentence vectors without its linear layer');
      return (await features(program, values, rows)).map((row) => layerOutputs(layer, row));
    },
  };
}

/** The weight of examples in the mean over a step's batches: their number, or the sum of their classes' weights. */
function computeWeight(
  examples: Int32Array,
  targets: Targets | undefined,
  classWeights: readonly number[] | undefined,
): number {
  if (!classWeights || !targets) return examples.length;
  return examples.reduce((sum, example) => sum + classWeights[targets[example]!]!, 0);
}
