import { splitWords, TfIdf } from '../../scores/baselines/bag-of-words.ts';
import type { Baseline } from '../../scores/baselines/baseline.ts';
import { type Likeness, RowComparison } from './compare-rows.ts';
import type { EmbeddingRows } from './embedding-rows.ts';

/** A bag of words: the weight of each word. The vector has length 1. */
type WordVector = ReadonlyMap<number, number>;

/** Maximum number of words. The most frequent ones are kept. */
const MAX_WORDS = 1e6;

/** Scores similarity by common words, without training: TF-IDF, fitted to the scored texts. */
export function wordBaseline(_: unknown, rows: EmbeddingRows): Baseline[] {
  if (rows.contents) return [];
  const comparison = new RowComparison(rows);
  const [first, { texts }] = [rows.columns[0]!, comparison];
  const tfIdf = new TfIdf([...(rows.scores ? first : []), ...texts].map(splitWords), MAX_WORDS);
  const vectorsOf = (texts: readonly string[]) => {
    const distinct = [...new Set(texts)];
    const vectors = computeVectors(tfIdf, distinct);
    return new Map(distinct.map((text, i) => [text, vectors[i]!]));
  };
  const outputs = comparison.outputs(
    [...first.keys()],
    { queries: vectorsOf(first), texts: vectorsOf(texts) },
    SPARSE,
  );
  return [{ name: 'a bag of words', isBlind: false, scores: comparison.scores(outputs, [...first.keys()]) }];
}

function computeVectors(tfIdf: TfIdf, texts: readonly string[]): WordVector[] {
  const { starts, columns, values } = tfIdf.rows(texts.map(splitWords));
  return texts.map((_, row) => {
    const places = Array.from({ length: starts[row + 1]! - starts[row]! }, (_, i) => starts[row]! + i);
    return new Map(places.map((at) => [columns[at]!, values[at]!]));
  });
}

const SPARSE: Likeness<WordVector> = {
  cosine(a, b) {
    let sum = 0;
    for (const [word, value] of a) sum += value * (b.get(word) ?? 0);
    return sum;
  },
  ranking(candidates) {
    const having = new Map<number, { number: number; value: number }[]>();
    for (const [number, candidate] of candidates.entries())
      for (const [word, value] of candidate) {
        const known = having.get(word);
        if (known) known.push({ number, value });
        else having.set(word, [{ number, value }]);
      }
    return (query, count, left) => {
      const scores = new Float64Array(candidates.length);
      for (const [word, value] of query)
        for (const other of having.get(word) ?? []) scores[other.number]! += value * other.value;
      return Array.from(scores.keys())
        .filter((number) => number !== left)
        .sort((a, b) => scores[b]! - scores[a]! || a - b)
        .slice(0, count);
    };
  },
};
