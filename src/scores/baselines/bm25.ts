import { splitWords } from './bag-of-words.ts';

/** Saturation of a word's count, and how much a long text is penalized: the defaults of Lucene. */
const [K1, B] = [1.2, 0.75];

/** Scores texts for a query by the words they share, as Lucene's BM25 (Robertson and Zaragoza, 2009). */
export class Bm25 {
  readonly #texts: readonly { counts: ReadonlyMap<string, number>; length: number }[];
  readonly #texted = new Map<string, number[]>();
  readonly #length: number;

  constructor(texts: readonly string[]) {
    this.#texts = texts.map((text, number) => {
      const words = splitWords(text);
      const counts = new Map<string, number>();
      for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
      for (const word of counts.keys()) {
        const having = this.#texted.get(word);
        if (having) having.push(number);
        else this.#texted.set(word, [number]);
      }
      return { counts, length: words.length };
    });
    this.#length = this.#texts.reduce((sum, { length }) => sum + length, 0) / texts.length;
  }

  /** The score of each text. */
  scores(query: string): Float64Array {
    const scores = new Float64Array(this.#texts.length);
    for (const word of splitWords(query)) {
      const having = this.#texted.get(word) ?? [];
      const rarity = Math.log(1 + (this.#texts.length - having.length + 0.5) / (having.length + 0.5));
      for (const number of having) {
        const { counts, length } = this.#texts[number]!;
        const count = counts.get(word)!;
        scores[number]! += (rarity * count) / (count + K1 * (1 - B + (B * length) / this.#length));
      }
    }
    return scores;
  }
}
