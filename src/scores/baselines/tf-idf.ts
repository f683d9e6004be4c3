import type { SparseRows } from './linear-model.ts';

/**
 * Converts texts to TF-IDF vectors of length 1. Equal to scikit-learn's TfidfVectorizer with its defaults
 * (smooth idf, L2 norm, raw counts).
 */
export class TfIdf {
  readonly #columns: ReadonlyMap<string, number>;
  readonly #idf: Float64Array;

  /**
   * @param mostWords maximum number of words; the words found in the most texts are kept, ties in
   * alphabetical order
   */
  constructor(texts: readonly (readonly string[])[], mostWords: number) {
    const texted = new Map<string, number>();
    for (const words of texts)
      for (const word of new Set(words)) texted.set(word, (texted.get(word) ?? 0) + 1);
    const kept = [...texted].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, mostWords);
    this.#columns = new Map(kept.map(([word], column) => [word, column]));
    this.#idf = Float64Array.from(kept, ([, count]) => Math.log((1 + texts.length) / (1 + count)) + 1);
  }

  get width(): number {
    return this.#idf.length;
  }

  rows(texts: readonly (readonly string[])[]): SparseRows {
    const starts = new Int32Array(texts.length + 1);
    const columns: number[] = [];
    const values: number[] = [];
    for (const [row, words] of texts.entries()) {
      const counts = new Map<number, number>();
      for (const word of words) {
        const column = this.#columns.get(word);
        if (column !== undefined) counts.set(column, (counts.get(column) ?? 0) + 1);
      }
      const weights = [...counts].map(([column, count]) => count * this.#idf[column]!);
      const length = Math.sqrt(weights.reduce((sum, weight) => sum + weight ** 2, 0));
      for (const column of counts.keys()) columns.push(column);
      for (const weight of weights) values.push(weight / length);
      starts[row + 1] = columns.length;
    }
    return { starts, columns: Int32Array.from(columns), values: Float64Array.from(values) };
  }
}
