import { fitLinear, type LinearLoss, linearScores, type SparseRows } from './linear-model.ts';

/**
 * The words of a text as in scikit-learn's TfidfVectorizer: two or more letters, digits or underscores, in lowercase.
 */
export function splitWords(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? [];
}

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

/** Limits that keep a fit to a few seconds. */
const LIMITS = {
  /** Maximum number of weights; beyond it, the rarest words are dropped. */
  weights: 1e6,
  /** Maximum product of characters and outputs; beyond it, only evenly spaced rows are used. */
  characters: 2e7,
};

interface Texts {
  text: string;
  textPair?: string;
}

/** Training rows of a bag of words. */
interface LearntRows {
  texts: readonly Texts[];
  /** As in `fitLinear`. */
  targets: ArrayLike<number>;
  /** Numbers predicted per row. */
  outputs: number;
  loss: LinearLoss;
}

/**
 * Fits a linear model on the TF-IDF of words and applies it to other texts. Word order is ignored. The fit is
 * deterministic and takes a second or two for some thousand rows.
 *
 * @returns [texts, outputs] for `others`
 */
export async function bagOfWords(
  learnt: LearntRows,
  others: readonly Texts[],
  limits = LIMITS,
): Promise<Float64Array> {
  const { texts, targets, outputs, loss } = sampleRows(learnt, limits.characters);
  const words = texts.map(wordsOfTexts);
  const features = new TfIdf(words, Math.ceil(limits.weights / outputs));
  const weights = await fitLinear(features.rows(words), features.width, targets, outputs, loss);
  return linearScores(features.rows(others.map(wordsOfTexts)), weights, outputs);
}

/**
 * The words of a text or of a pair. Words of the second text are marked, so that they differ from those of
 * the first.
 */
function wordsOfTexts({ text, textPair }: Texts): string[] {
  if (textPair === undefined) return splitWords(text);
  return [...splitWords(text), ...splitWords(textPair).map((word) => `2 ${word}`)];
}

function sampleRows(learnt: LearntRows, mostCharacters: number): LearntRows {
  const { texts, targets, outputs } = learnt;
  const length = ({ text, textPair = '' }: Texts) => text.length + textPair.length;
  const cost = outputs * texts.reduce((sum, row) => sum + length(row), 0);
  const count = Math.ceil(texts.length * Math.min(1, mostCharacters / Math.max(1, cost)));
  if (count === texts.length) return learnt;
  const rows = Array.from({ length: count }, (_, i) => Math.floor((i * texts.length) / count));
  const width = targets.length / texts.length;
  return {
    ...learnt,
    texts: rows.map((row) => texts[row]!),
    targets: rows.flatMap((row) => Array.from({ length: width }, (_, k) => targets[row * width + k]!)),
  };
}
