import { modelFeeds } from '../../objectives/model-inputs.ts';
import type { ExampleSet } from '../../program/example-set.ts';
import { predictAll } from '../../program/predict-all.ts';
import type { Predictor } from '../../program/program.ts';
import { collate } from '../../text/collate.ts';
import type { Encoding } from '../../text/tokenizer.ts';
import { encodeRows } from '../labelled-texts/encode-rows.ts';
import type { EncodingContext } from '../task-definition.ts';

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
   * Computes the vectors of all texts, by index.
   *
   * @throws NotFinite if a value is not finite
   */
  async vectors(
    program: Predictor,
    values: Float32Array,
    width: number,
    batchSize: number,
  ): Promise<Float32Array[]> {
    const all = await predictAll(program, values, this.examples(), width, batchSize);
    return this.encodings.map((_, i) => all.subarray(i * width, (i + 1) * width));
  }
}
