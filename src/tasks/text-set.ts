import { collate } from '../input/text/batches.ts';
import type { Encoding } from '../input/text/tokenizer.ts';
import { modelFeeds } from '../program/objectives/model-inputs.ts';
import { InputSet } from './input-set.ts';
import { encodeRows } from './labelled-texts/encode-rows.ts';
import type { EncodingContext } from './task-definition.ts';

/** Distinct texts, each tokenized once. */
export class TextSet extends InputSet {
  readonly encodings: Encoding[];
  readonly lengths: Int32Array;
  readonly truncated: number;
  readonly #padId: number;
  readonly #numbers: ReadonlyMap<string, number>;

  private constructor(numbers: ReadonlyMap<string, number>, encodings: Encoding[], padId: number) {
    super();
    this.#numbers = numbers;
    this.encodings = encodings;
    this.#padId = padId;
    this.lengths = Int32Array.from(encodings, ({ inputIds }) => inputIds.length);
    this.truncated = encodings.filter(({ truncated }) => truncated).length;
  }

  static of(
    texts: Iterable<string>,
    { tokenizer, maxLength, communicator }: Pick<EncodingContext, 'tokenizer' | 'maxLength' | 'communicator'>,
  ): TextSet {
    const numbers = new Map([...new Set(texts)].map((text, number) => [text, number]));
    const rows = [...numbers.keys()].map((text) => ({ text }));
    return new TextSet(numbers, encodeRows(rows, tokenizer, maxLength, communicator), tokenizer.padId);
  }

  /** The number of a text in the set. */
  numberOf(text: string): number {
    return this.#numbers.get(text) as number;
  }

  override feeds(numbers: readonly number[]) {
    return modelFeeds(
      collate(
        numbers.map((number) => this.encodings[number]!),
        this.#padId,
      ),
    );
  }
}
