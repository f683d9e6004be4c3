import { z } from 'zod';
import { largest, smallest } from '../support/numbers.ts';
import { dot, findBest, type Ranked, unit } from './sentence-vectors.ts';

/** How hard negatives are chosen. Names and ranges as `mine_hard_negatives` of sentence-transformers. */
export const miningSchema = z.strictObject({
  /** Number of negatives of each query. */
  num_negatives: z.int().min(1).default(3),
  /** Number of the most similar texts to skip, because they may be unlabeled answers. */
  range_min: z.int().min(0).default(0),
  /** Number of the most similar texts to choose from. Default: enough for the other settings. */
  range_max: z.int().min(1).optional(),
  /** Largest score of a negative. */
  max_score: z.number().optional(),
  /** Smallest score of a negative. */
  min_score: z.number().optional(),
  /** By how much a negative must score below the worst positive of its query. */
  absolute_margin: z.number().optional(),
  /** The same, as a share of the positive's score. Default: 0.05, unless another limit is set. */
  relative_margin: z.number().optional(),
});

/** The key of a section for negatives that the model's own vectors find before training. */
export const miningKey = z.union([z.literal('mine'), miningSchema]).optional();

export type Mining = z.output<typeof miningSchema>;

/** The settings of `negatives: mine`, or of a section. An unlabeled answer is unlikely to pass the default margin. */
export function readMining(given: 'mine' | Mining): Mining {
  const mining = miningSchema.parse(given === 'mine' ? {} : given);
  const isLimited = [mining.max_score, mining.absolute_margin, mining.relative_margin].some(
    (limit) => limit !== undefined,
  );
  return isLimited ? mining : { ...mining, relative_margin: 0.05 };
}

/** The rows to mine for. */
interface MinedRows {
  /** For each row, the number of its query and that of its positive in the corpus. */
  pairs: readonly (readonly [query: number, positive: number])[];
  /** The similarity of a query and each text of the corpus. */
  similarities(query: number): ArrayLike<number>;
  /** The number of a query's own text in the corpus, if it is there. It is never a negative. */
  ownPlace?(query: number): number | undefined;
  /** Scores some texts for a query more exactly than vectors do. All limits apply to these scores. */
  rescore?: ((query: number, texts: readonly number[]) => Promise<ArrayLike<number>>) | undefined;
}

/**
 * Finds hard negatives for each query: the texts with the largest scores that are not its positives, within the limits.
 *
 * @returns by query, the best first; fewer than asked for if the limits leave no more
 */
export async function mineNegatives(
  { pairs, similarities, ownPlace, rescore }: MinedRows,
  { num_negatives, range_min, max_score, min_score, absolute_margin, relative_margin, ...given }: Mining,
): Promise<Map<number, Ranked[]>> {
  const positives = new Map<number, number[]>();
  for (const [query, positive] of pairs) positives.set(query, [...(positives.get(query) ?? []), positive]);
  const most = largest([...positives.values()].map(({ length }) => length));
  const hasLimit = [max_score, absolute_margin, relative_margin, rescore && min_score].some(
    (limit) => limit !== undefined,
  );
  const range = given.range_max ?? range_min + num_negatives * (hasLimit ? 10 : 1) + most;
  const mined = new Map<number, Ranked[]>();
  for (const [query, own] of positives) {
    const scores = similarities(query);
    const near = findBest(scores, range + most + 1);
    const texts = [...near.map(({ number }) => number), ...own];
    const rescored = await rescore?.(query, texts);
    const worst = smallest(own.map((number, i) => rescored?.[near.length + i] ?? scores[number]!));
    const itself = ownPlace?.(query);
    const passes = ({ number, score }: Ranked) =>
      !own.includes(number) &&
      number !== itself &&
      !(absolute_margin !== undefined && score + absolute_margin > worst) &&
      !(relative_margin !== undefined && score > worst - Math.abs(worst) * relative_margin) &&
      !(max_score !== undefined && score > max_score) &&
      !(min_score !== undefined && score < min_score);
    const candidates = near.map(({ number, score }, i) => ({ number, score: rescored?.[i] ?? score }));
    const chosen = candidates.filter(passes).sort((a, b) => b.score - a.score);
    mined.set(query, chosen.slice(range_min, range).slice(0, num_negatives));
  }
  return mined;
}

/** Scores how well texts answer a query, as a reranker does. */
export type Rescore = (query: string, texts: readonly string[]) => Promise<ArrayLike<number>>;

/** Vectors by their texts. */
type Vectors = ReadonlyMap<string, Float32Array>;

/**
 * Mines negatives for pairs of a query and its positive by the cosines of vectors.
 *
 * @param corpus distinct texts, the positives among them
 * @returns for each pair, the texts of the corpus by their numbers
 */
export async function mineByVectors(
  pairs: readonly (readonly [query: string, positive: string])[],
  corpus: readonly string[],
  vectors: { queries: Vectors; texts: Vectors },
  mining: Mining,
  rescore?: Rescore,
): Promise<Ranked[][]> {
  const queries = [...new Set(pairs.map(([query]) => query))];
  const numbers = new Map(queries.map((query, number) => [query, number]));
  const places = new Map(corpus.map((text, number) => [text, number]));
  const units = corpus.map((text) => unit(vectors.texts.get(text)!));
  const mined = await mineNegatives(
    {
      pairs: pairs.map(([query, positive]) => [numbers.get(query)!, places.get(positive)!]),
      similarities(query) {
        const asked = unit(vectors.queries.get(queries[query]!)!);
        return units.map((vector) => dot(vector, asked));
      },
      ownPlace: (query) => places.get(queries[query]!),
      rescore:
        rescore &&
        ((query, texts) =>
          rescore(
            queries[query]!,
            texts.map((number) => corpus[number]!),
          )),
    },
    mining,
  );
  return pairs.map(([query]) => mined.get(numbers.get(query)!)!);
}
