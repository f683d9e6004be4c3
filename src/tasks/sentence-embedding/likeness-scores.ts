import { pearson, spearmanr } from '../../scores/metrics/regression-scores.ts';
import { type RetrievalScores, retrievalScores } from '../../scores/metrics/retrieval-scores.ts';
import type { ScoreName } from '../../scores/metrics/scores.ts';
import type { EmbeddingRows } from './embedding-rows.ts';

/** Number of texts to rank per query. The scores do not use more. */
const MAX_RANKED = 100;

/** How to compare vectors of a type. */
export interface Likeness<Vector> {
  cosine(a: Vector, b: Vector): number;
  /**
   * Ranks candidates by their cosine similarity to a query. Candidates with equal similarity keep their order.
   *
   * @returns a function of the query, the number of candidates to return, and optionally the index of a candidate to
   * leave out. It returns the indices of the candidates, the best first.
   */
  ranking(candidates: readonly Vector[]): (query: Vector, count: number, left?: number) => number[];
}

/** Scores rows by the vectors of their texts: scored pairs by correlation, pairs and classes by retrieval. */
export function likenessScores<Vector>(
  { columns: texts, scores, classes }: EmbeddingRows,
  columns: readonly (readonly Vector[])[],
  likeness: Likeness<Vector>,
): Partial<Record<ScoreName, number>> {
  const { cosine } = likeness;
  if (scores) {
    const cosines = columns[0]!.map((vector, i) => cosine(vector, columns[1]![i]!));
    return { spearmanr: spearmanr(cosines, scores), pearson: pearson(cosines, scores) };
  }
  if (classes) return classScores(columns[0]!, classes, likeness);
  const [anchors, positives, negatives] = columns;
  const baselineScores = pairScores(texts, columns, likeness);
  if (!negatives) return baselineScores;
  const isRight = anchors!.map((anchor, i) => cosine(anchor, positives![i]!) > cosine(anchor, negatives[i]!));
  return { ...baselineScores, triplet_accuracy: isRight.filter(Boolean).length / isRight.length };
}

/** Ranks a corpus for each query, and scores the rankings. */
export function rankedScores<Vector>(
  queries: readonly Vector[],
  corpus: readonly Vector[],
  relevant: readonly ReadonlySet<number>[],
  { ranking }: Likeness<Vector>,
): RetrievalScores {
  const rank = ranking(corpus);
  return retrievalScores(
    queries.map((query) => rank(query, MAX_RANKED)),
    relevant,
  );
}

/**
 * Scores retrieval in pairs. Every distinct anchor searches for its positives among the distinct texts of all other
 * columns.
 */
function pairScores<Vector>(
  texts: readonly (readonly string[])[],
  columns: readonly (readonly Vector[])[],
  likeness: Likeness<Vector>,
): RetrievalScores {
  const corpus = new Map<string, Vector>();
  texts.slice(1).forEach((column, i) => {
    for (const [row, text] of column.entries()) corpus.set(text, columns[i + 1]![row]!);
  });
  const numbers = new Map([...corpus.keys()].map((text, number) => [text, number]));
  const queries = new Map<string, { vector: Vector; relevant: Set<number> }>();
  for (const [row, anchor] of texts[0]!.entries()) {
    const known = queries.get(anchor) ?? { vector: columns[0]![row]!, relevant: new Set<number>() };
    known.relevant.add(numbers.get(texts[1]![row]!) as number);
    queries.set(anchor, known);
  }
  const asked = [...queries.values()];
  return rankedScores(
    asked.map(({ vector }) => vector),
    [...corpus.values()],
    asked.map(({ relevant }) => relevant),
    likeness,
  );
}

/**
 * Scores retrieval within classes. Every sentence searches for the others of its class. A sentence without others is
 * skipped.
 */
function classScores<Vector>(
  vectors: readonly Vector[],
  classes: readonly string[],
  { ranking }: Likeness<Vector>,
): RetrievalScores {
  const rank = ranking(vectors);
  const relevant = classes.map(
    (name, i) => new Set(classes.flatMap((other, j) => (other === name && j !== i ? [j] : []))),
  );
  const asked = [...vectors.keys()].filter((i) => relevant[i]!.size > 0);
  return retrievalScores(
    asked.map((i) => rank(vectors[i]!, MAX_RANKED, i)),
    asked.map((i) => relevant[i]!),
  );
}
