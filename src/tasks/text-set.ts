import { columnInput } from '../objectives/embedding-model.ts';
import { modelFeeds } from '../objectives/model-inputs.ts';
import { checkFinite } from '../program/check-finite.ts';
import { type ExampleSet, someExamples } from '../program/example-set.ts';
import { predictBatches } from '../program/predict-batches.ts';
import type { Predictor } from '../program/program.ts';
import type { HostTensor, Tensors } from '../runtime/session.ts';
import { collate } from '../text/collate.ts';
import type { Encoding } from '../text/tokenizer.ts';
import { encodeRows } from './labelled-texts/encode-rows.ts';
import type { EncodingContext } from './task-definition.ts';

/** Distinct texts, each tokenized once. */
export class TextSet {
  readonly encodings: Encoding[] = [];
  readonly #padId: number;
  readonly #numbers = new Map<string, number>();

  private constructor(padId: number) {
    this.#padId = padId;
  }

  static of(
    texts: Iterable<string>,
    { tokenizer, maxLength, communicator }: Pick<EncodingContext, 'tokenizer' | 'maxLength' | 'communicator'>,
  ): TextSet {
    const set = new TextSet(tokenizer.padId);
    for (const text of texts) if (!set.#numbers.has(text)) set.#numbers.set(text, set.#numbers.size);
    const rows = [...set.#numbers.keys()].map((text) => ({ text }));
    set.encodings.push(...encodeRows(rows, tokenizer, maxLength, communicator));
    return set;
  }

  /** The index of a text in the set. */
  numberOf(text: string): number {
    return this.#numbers.get(text) as number;
  }

  /** The model's inputs for some of the texts. */
  feeds(numbers: readonly number[]) {
    return modelFeeds(
      collate(
        numbers.map((number) => this.encodings[number]!),
        this.#padId,
      ),
    );
  }

  /** All texts as separate examples. */
  examples(): ExampleSet {
    return {
      lengths: Int32Array.from(this.encodings, ({ inputIds }) => inputIds.length),
      truncated: this.encodings.filter(({ truncated }) => truncated).length,
      batch: (examples) => ({ feeds: this.feeds([...examples]), weight: examples.length }),
    };
  }

  /**
   * Examples with a text in every column. A text that is repeated in a batch is computed once.
   *
   * @param columns for each column, the indices of its texts, row by row
   * @param others returns the other inputs of some examples, and their weight; by default their number
   * @param chunk number of texts to compute at a time; by default all of a batch
   */
  rows(
    columns: readonly Int32Array[],
    others: (examples: Int32Array) => { feeds: Tensors; weight?: number },
    chunk = Number.POSITIVE_INFINITY,
  ): ExampleSet {
    const lengthOf = (number: number) => this.encodings[number]!.inputIds.length;
    return {
      lengths: columns[0]!.map((_, row) => Math.max(...columns.map((column) => lengthOf(column[row]!)))),
      truncated: this.encodings.filter(({ truncated }) => truncated).length,
      batch: (examples) => {
        const used = [...new Set(columns.flatMap((column) => Array.from(examples, (row) => column[row]!)))];
        // Sorted, so that texts that are computed together have similar lengths.
        used.sort((a, b) => lengthOf(a) - lengthOf(b));
        const places = new Map(used.map((number, place) => [number, place]));
        const placesOf = (column: Int32Array): HostTensor => ({
          data: Int32Array.from(examples, (row) => places.get(column[row]!) as number),
          dims: [examples.length],
        });
        const inputs = columns.map((column, i) => [columnInput(i), placesOf(column)] as const);
        const { feeds, weight = examples.length } = others(examples);
        return {
          feeds: { ...this.feeds(used), ...Object.fromEntries(inputs), ...feeds },
          weight,
          ...(chunk < used.length && { chunk }),
        };
      },
    };
  }

  /**
   * Computes the vectors of some texts, in their order.
   *
   * @param numbers indices of the texts; by default all
   * @throws NotFinite if a value is not finite
   */
  async vectors(
    program: Predictor,
    values: Float32Array,
    batchSize: number,
    numbers: readonly number[] = [...this.encodings.keys()],
  ): Promise<Float32Array[]> {
    const set = someExamples(this.examples(), Int32Array.from(numbers));
    const vectors: Float32Array[] = numbers.map(() => new Float32Array());
    for (const { examples, logits } of await predictBatches(program, values, set, batchSize)) {
      const width = logits.length / examples.length;
      examples.forEach((example, row) => {
        vectors[example] = logits.slice(row * width, (row + 1) * width);
      });
    }
    checkFinite(vectors);
    return vectors;
  }
}
