import { groupEqualTexts } from '../../input/data/split-rows.ts';
import type { Certainty } from '../../program/example-set.ts';
import { pearson, spearmanr } from '../../scores/metrics/regression-scores.ts';
import { queryScores, RETRIEVAL } from '../../scores/metrics/retrieval-scores.ts';
import { bootstrap, someGroups, unitsInterval } from '../../scores/metrics/score-interval.ts';
import type { ScoreName } from '../../scores/metrics/scores.ts';
import { mean } from '../../support/numbers.ts';
import { buildRetrieval, type EmbeddingRows, type Retrieval } from './embedding-rows.ts';

/** Number of texts to rank per query. The scores do not use more. */
const MAX_RANKED = 100;

/** How to compare vectors of a type. */
export interface Likeness<Vector> {
  cosine(a: Vector, b: Vector): number;
  /**
   * Ranks candidates by their similarity to a query. Candidates with equal similarity keep their order.
   *
   * @returns a function of the query, the number of candidates to return, and optionally the index of a candidate to
   * leave out. It returns the indices of the candidates, the best first.
   */
  ranking(candidates: readonly Vector[]): (query: Vector, count: number, left?: number) => number[];
}

/** The vectors of the first texts of rows, and of the texts that are compared with them. */
export interface ComparedVectors<Vector> {
  queries: ReadonlyMap<string, Vector>;
  texts: ReadonlyMap<string, Vector>;
}

/**
 * Scores rows by the vectors of their texts: scored pairs by correlation, all others by retrieval. The outputs of a row
 * are the scores of its query, or its cosine. They depend on no other scored row, so that different models may compute
 * them.
 */
export class RowComparison {
  readonly names: readonly ScoreName[];
  /** The texts that are compared with those of the first column. */
  readonly texts: readonly string[];
  readonly #rows: EmbeddingRows;
  readonly #retrieval: Retrieval | undefined;
  /** The number of a row's query, for the first row of each query. */
  readonly #asking: ReadonlyMap<number, number>;
  readonly groups: Int32Array;

  constructor(rows: EmbeddingRows) {
    const { columns, form } = rows;
    this.#rows = rows;
    this.#retrieval = buildRetrieval(rows);
    this.texts = this.#retrieval?.corpus ?? columns[1]!;
    const retrieval = rows.negatives ? ([...RETRIEVAL, 'triplet_accuracy'] as const) : RETRIEVAL;
    this.names = this.#retrieval ? retrieval : [];
    const rowOf = new Map([...columns[0]!.entries()].reverse().map(([row, text]) => [text, row]));
    const queries = this.#retrieval?.queries ?? [];
    this.#asking = new Map(queries.map((query, number) => [rowOf.get(query) as number, number]));
    const compared = form === 'labeled' ? columns.slice(0, 1) : columns.slice(0, 2);
    this.groups = groupEqualTexts(columns[0]!.map((_, row) => compared.map((column) => column[row])));
  }

  /** Number of outputs of a row. */
  get width(): number {
    return Math.max(1, this.names.length);
  }

  /** The outputs of some rows. A query that several rows have is scored in the first. */
  outputs<Vector>(
    chosen: ArrayLike<number>,
    { queries, texts }: ComparedVectors<Vector>,
    { cosine, ranking }: Likeness<Vector>,
  ): number[][] {
    const { columns, negatives } = this.#rows;
    const vector = (row: number, column: number) =>
      (column === 0 ? queries : texts).get(columns[column]![row]!) as Vector;
    if (!this.#retrieval) return Array.from(chosen, (row) => [cosine(vector(row, 0), vector(row, 1))]);
    const { corpus, relevant, own } = this.#retrieval;
    const rank = ranking(corpus.map((text) => texts.get(text) as Vector));
    const unasked = RETRIEVAL.map(() => Number.NaN);
    return Array.from(chosen, (row) => {
      const anchor = vector(row, 0);
      const isCloser = (text: string) =>
        Number(cosine(anchor, vector(row, 1)) > cosine(anchor, texts.get(text) as Vector));
      const triplet = negatives
        ? negatives[row]!.slice(0, 1).map(isCloser).concat(Number.NaN).slice(0, 1)
        : [];
      const query = this.#asking.get(row);
      if (query === undefined) return [...unasked, ...triplet];
      const ranked = rank(anchor, MAX_RANKED, own?.[query]);
      const found = relevant[query]!;
      const scores = queryScores(
        ranked.map((text) => found.has(text)),
        own ? found.size - 1 : found.size,
      );
      return [...RETRIEVAL.map((name) => scores[name]), ...triplet];
    });
  }

  /** Scores the outputs of some rows. */
  scores(
    outputs: readonly ArrayLike<number>[],
    chosen: ArrayLike<number>,
  ): Partial<Record<ScoreName, number>> {
    const rows = Array.from(chosen);
    const { scores } = this.#rows;
    const column = (at: number) => rows.map((row) => outputs[row]![at]!);
    if (this.#retrieval)
      return Object.fromEntries(
        this.names.map((name, at) => [name, mean(column(at).filter((value) => !Number.isNaN(value)))]),
      );
    const similar = rows.map((row) => scores![row]!);
    return { spearmanr: spearmanr(column(0), similar), pearson: pearson(column(0), similar) };
  }

  /** The intervals of the scores of some rows, whose units are queries. */
  certainty(outputs: readonly ArrayLike<number>[], chosen: Int32Array): Certainty {
    const units = this.#retrieval ? chosen.filter((row) => this.#asking.has(row)) : chosen;
    const groups = someGroups(this.groups, units);
    return {
      groups,
      ...(this.#retrieval && { candidates: this.texts.length }),
      interval: (score) => {
        const at = this.names.indexOf(score as ScoreName);
        if (at >= 0)
          return unitsInterval(
            Array.from(units, (row) => outputs[row]![at]!),
            groups,
          );
        return bootstrap(groups, (drawn) => {
          const rows = Int32Array.from(drawn, (i) => units[i]!);
          return this.scores(outputs, rows)[score as ScoreName] ?? Number.NaN;
        });
      },
    };
  }
}
