import type { ExampleSet } from '../../program/example-set.ts';
import type { InputSet } from '../../program/modalities/input-set.ts';
import { rowFeatures } from '../../program/objectives/sentence-classifier.ts';
import { labelFeed } from '../../program/objectives/sequence-loss.ts';
import type { Predictor } from '../../program/program.ts';
import type { EncodingContext } from '../prediction.ts';
import { promptFor } from '../sentence-embedding/prompts.ts';
import { computeWeight, type RowInput } from './encoded-set.ts';

/** Texts, pairs or pictures, with a vector for each text and each picture. */
export class SentenceRows {
  readonly #texts: InputSet;
  /** For each column, the indices of its texts. */
  readonly #columns: readonly Int32Array[];
  readonly #context: EncodingContext;

  constructor(rows: readonly RowInput[], context: EncodingContext) {
    this.#context = context;
    const { reading, config, modality, communicator } = context;
    const prompt = promptFor('text', reading, config);
    const columns = rows.some(({ textPair }) => textPair !== undefined) ? 2 : 1;
    const items = rows.map(({ text, textPair = '', picture }) =>
      [text, textPair].slice(0, columns).map((one) => modality.item({ text: one, picture }, prompt)),
    );
    const set = modality.set(items.flat(), { communicator });
    this.#texts = set;
    this.#columns = Array.from({ length: columns }, (_, column) =>
      Int32Array.from(items, (row) => set.numberOf(row[column]!)),
    );
  }

  /** @param targets of all rows, row-major; without them, the batches are for prediction only */
  examples(targets?: Int32Array | Float32Array): ExampleSet {
    const count = this.#columns[0]!.length;
    const { classWeights } = this.#context;
    return this.#texts.rows(this.#columns, (examples) => ({
      feeds: targets ? labelFeed(targets, examples, count) : {},
      weight: computeWeight(examples, targets, classWeights),
    }));
  }

  /** Computes the features of some rows. A text that occurs several times is computed once. */
  async features(
    predictor: Predictor,
    values: Float32Array,
    rows: Int32Array,
    batchSize: number,
  ): Promise<Float32Array[]> {
    const used = [...new Set(this.#columns.flatMap((column) => Array.from(rows, (row) => column[row]!)))];
    const vectors = await this.#texts.vectors(predictor, values, batchSize, used);
    const vectorOf = new Map(used.map((text, i) => [text, vectors[i]!]));
    return Array.from(rows, (row) => rowFeatures(this.#columns.map((column) => vectorOf.get(column[row]!)!)));
  }
}
