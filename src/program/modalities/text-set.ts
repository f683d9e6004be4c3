import type { Encoding } from '../../input/text/encoding.ts';
import { InputSet } from './input-set.ts';
import type { Texts } from './texts.ts';

/** Distinct texts, each tokenized once. */
export class TextSet extends InputSet<string> {
  readonly lengths: Int32Array;
  readonly truncated: number;
  readonly #encodings: readonly Encoding[];
  readonly #texts: Texts;
  readonly #numbers: ReadonlyMap<string, number>;

  /** @param encodings of the distinct texts */
  constructor(distinct: readonly string[], encodings: readonly Encoding[], texts: Texts) {
    super();
    this.#numbers = new Map(distinct.map((text, number) => [text, number]));
    this.#encodings = encodings;
    this.#texts = texts;
    this.lengths = Int32Array.from(encodings, ({ inputIds }) => inputIds.length);
    this.truncated = encodings.filter(({ truncated }) => truncated).length;
  }

  override numberOf(text: string): number {
    return this.#numbers.get(text) as number;
  }

  override feeds(numbers: readonly number[]) {
    return this.#texts.feeds(numbers.map((number) => this.#encodings[number]!));
  }
}
