import type { Encoding } from '../../input/text/encoding.ts';
import type { ExampleSet, RowModel } from '../../program/example-set.ts';
import { InputSet } from '../../program/modalities/input-set.ts';
import { requireTexts, type Texts } from '../../program/modalities/texts.ts';
import { groupFeeds } from '../../program/objectives/reranking-model.ts';
import { Bm25 } from '../../scores/baselines/bm25.ts';
import { addUp, largest } from '../../support/numbers.ts';
import { Random } from '../../support/random.ts';
import { mineByVectors, readMining } from '../mine-negatives.ts';
import type { EncodingContext } from '../prediction.ts';
import { cosine, promptFor } from '../sentence-vectors.ts';
import {
  chooseRankingLoss,
  detectLoss,
  type RerankingData,
  type RerankingRow,
  type RerankingRows,
} from './reranking-rows.ts';

export type Context = EncodingContext<RerankingData>;

type Pair = readonly [query: string, text: string];

/** Pairs of a query and a text, each encoded once. */
export class PairSet extends InputSet<Pair> {
  readonly lengths: Int32Array;
  readonly truncated: number;
  readonly #encodings: readonly Encoding[];
  readonly #texts: Texts;
  readonly #numbers = new Map<string, number>();

  constructor(pairs: readonly Pair[], texts: Texts, encode = (pair: Pair) => texts.encode(...pair)) {
    super();
    const encodings: Encoding[] = [];
    for (const pair of pairs) {
      if (this.#numbers.has(joinPair(pair))) continue;
      this.#numbers.set(joinPair(pair), encodings.length);
      encodings.push(encode(pair));
    }
    this.#encodings = encodings;
    this.#texts = texts;
    this.lengths = Int32Array.from(encodings, ({ inputIds }) => inputIds.length);
    this.truncated = encodings.filter(({ truncated }) => truncated).length;
  }

  override numberOf(pair: Pair): number {
    return this.#numbers.get(joinPair(pair)) as number;
  }

  encodingOf(pair: Pair): Encoding | undefined {
    return this.#encodings[this.numberOf(pair)];
  }

  override feeds(numbers: readonly number[]) {
    return this.#texts.feeds(numbers.map((number) => this.#encodings[number]!));
  }
}

function joinPair(pair: Pair): string {
  return JSON.stringify(pair);
}

/** Number of tokens whose pairs are computed at a time. With more, a step takes longer and needs more memory. */
const TOKENS_AT_A_TIME = 2048;

/** Builds one example per row: a group of its query with each of its texts, and with some of other rows of the batch. */
export function rerankingExamples(given: RerankingRows, context: Context): ExampleSet {
  const { reading, modality, seed } = context;
  const texts = requireTexts(modality);
  const rows = withMined(given, context);
  const whole = { ...given, rows: given.whole ?? given.rows };
  const kind = detectLoss(whole, reading).loss ?? chooseRankingLoss(reading);
  const borrowed = kind === 'multiple_negatives_ranking' ? reading.num_negatives : 0;
  const pairsOf = ({ query, texts }: RerankingRow) => texts.map((text): Pair => [query, text]);
  const all = new PairSet(rows.flatMap(pairsOf), texts);
  const encode = (pair: Pair) => all.encodingOf(pair) ?? texts.encode(...pair);
  const positives = listPositives(rows);
  const width = largest(rows.map((row) => row.texts.length)) + borrowed;
  const lengths = rows.map((row) => {
    const own = pairsOf(row).map((pair) => encode(pair).inputIds.length);
    return addUp(own) * (1 + borrowed / own.length);
  });
  return {
    lengths: Int32Array.from(lengths),
    truncated: rows.filter((row) => pairsOf(row).some((pair) => encode(pair).truncated)).length,
    batch(examples, number) {
      const chosen = Array.from(examples, (example) => rows[example]!);
      const random = new Random(seed, 'negatives', number);
      const groups = chosen.map((row) => {
        const own = positives.get(row.query)!;
        const others = new Set(
          chosen.flatMap((other) => (other === row || borrowed === 0 ? [] : other.texts)),
        );
        const candidates = [...others].filter((text) => !own.has(text) && !row.texts.includes(text));
        const drawn = Array.from(
          random.permutation(candidates.length).subarray(0, borrowed),
          (i) => candidates[i]!,
        );
        const [positive, ...negatives] = row.texts;
        // As in sentence-transformers, negatives of other rows come before the row's own.
        const members = borrowed > 0 ? [positive!, ...drawn, ...negatives] : row.texts;
        return {
          pairs: members.map((text): Pair => [row.query, text]),
          targets: borrowed > 0 ? [] : row.targets,
        };
      });
      const set = new PairSet(
        groups.flatMap(({ pairs }) => pairs),
        texts,
        encode,
      );
      const chunk =
        reading.mini_batch_size ?? Math.max(1, Math.floor(TOKENS_AT_A_TIME / largest(set.lengths)));
      const arranged = set.groups(
        groups.map(({ pairs }) => pairs.map((pair) => set.numberOf(pair))),
        () => ({ feeds: {} }),
        { chunk, arrange: (numbered) => [numbered.flat()] },
      );
      const batch = arranged.batch(Int32Array.from(groups.keys()), number);
      const { data } = batch.feeds.column_0!;
      let start = 0;
      const ranked = groups.map(({ pairs, targets }) => {
        const places = Array.from(data.subarray(start, start + pairs.length) as Int32Array);
        start += pairs.length;
        return { places, targets: pairs.map((_, i) => targets[i] ?? Number(i === 0)) };
      });
      return {
        ...batch,
        feeds: { ...batch.feeds, ...groupFeeds(ranked, width, kind) },
        weight: groups.length,
      };
    },
  };
}

/** For each query, the texts that answer it. */
function listPositives(rows: readonly RerankingRow[]): ReadonlyMap<string, ReadonlySet<string>> {
  const isRelevant = relevance(rows);
  const found = new Map<string, Set<string>>();
  for (const { query, texts, grades } of rows) {
    const own = found.get(query) ?? new Set();
    found.set(query, own);
    texts.forEach((text, i) => {
      if (isRelevant(grades[i]!)) own.add(text);
    });
  }
  return found;
}

/** Whether a grade says that a text answers its query: from 0.5 for shares, above 0 for whole numbers. */
function relevance(rows: readonly RerankingRow[]): (grade: number) => boolean {
  const areWhole = rows.every(({ grades }) => grades.every(Number.isInteger));
  return (grade) => (areWhole ? grade > 0 : grade >= 0.5);
}

/** Texts from which negatives are mined: the distinct positives of the file. */
function listCorpus({ rows, whole = rows }: RerankingRows): string[] {
  return [...new Set(whole.map(({ texts }) => texts[0]!))];
}

/** Rows with their mined negatives. */
function withMined(given: RerankingRows, { reading, prepared }: Context): readonly RerankingRow[] {
  if (!reading.negatives || !prepared) return given.rows;
  const corpus = listCorpus(given);
  return given.rows.map((row, i) => {
    const mined = Array.from(prepared[i]!, (number) => corpus[number]!);
    const none = mined.map(() => 0);
    return {
      ...row,
      texts: [...row.texts, ...mined],
      targets: [...row.targets, ...none],
      grades: [...row.grades, ...none],
    };
  });
}

/** A query with the texts that are ranked for it. */
export interface RankedQuery {
  /** The number of its first row. */
  row: number;
  query: string;
  texts: readonly string[];
  grades: readonly number[];
  relevant: readonly boolean[];
}

/** The queries of rows, because a run asks for them before training, for its baselines and in its evaluation. */
const QUERIES = new WeakMap<RerankingRows, readonly RankedQuery[]>();

/** Number of texts that are ranked for a query whose rows have no wrong ones. */
const RANKED_TEXTS = 20;

/**
 * The queries to score, with the texts of all their rows. If none of them is wrong, the best of the file by BM25 are added.
 * Queries without an answer are left out.
 */
export function rankedQueries(rows: RerankingRows): readonly RankedQuery[] {
  const queries = QUERIES.get(rows) ?? rankQueries(rows);
  QUERIES.set(rows, queries);
  return queries;
}

function rankQueries({ rows, whole = rows }: RerankingRows): RankedQuery[] {
  const isRelevant = relevance(whole);
  const all = [...new Set(whole.flatMap(({ texts }) => texts))];
  const byQuery = new Map<string, { row: number; grades: Map<string, number> }>();
  for (const [row, { query, texts, grades }] of rows.entries()) {
    const known = byQuery.get(query) ?? { row, grades: new Map<string, number>() };
    byQuery.set(query, known);
    texts.forEach((text, i) => {
      known.grades.set(text, Math.max(grades[i]!, known.grades.get(text) ?? grades[i]!));
    });
  }
  let words: Bm25 | undefined;
  return [...byQuery].flatMap(([query, { row, grades }]) => {
    if ([...grades.values()].every(isRelevant)) {
      words ??= new Bm25(all);
      const scores = words.scores(query);
      const best = [...all.keys()].sort((a, b) => scores[b]! - scores[a]!);
      for (const number of best) {
        if (grades.size >= RANKED_TEXTS) break;
        if (!grades.has(all[number]!)) grades.set(all[number]!, 0);
      }
    }
    const values = [...grades.values()];
    const relevant = values.map(isRelevant);
    return relevant.includes(true)
      ? [{ row, query, texts: [...grades.keys()], grades: values, relevant }]
      : [];
  });
}

/**
 * Computes what the model's own vectors say before training: for training rows, the numbers of their mined negatives; for
 * others, the cosines of a query's ranked texts, in its first row.
 */
export async function compareVectors(
  rows: RerankingRows,
  context: Context,
  { program, values }: RowModel,
): Promise<Float32Array[]> {
  const { reading, config, modality, isTraining } = context;
  const found = rows.rows.map(() => new Float32Array(1));
  if (!program.parts.model.buildVectors || (isTraining && !reading.negatives)) return found;
  const queries = isTraining ? [] : rankedQueries(rows);
  const corpus = isTraining ? listCorpus(rows) : [];
  const asked = isTraining ? rows.rows.map(({ query }) => query) : queries.map(({ query }) => query);
  const vectorsOf = async (texts: readonly string[], role: 'query' | 'document') => {
    const distinct = [...new Set(texts)];
    const prompt = promptFor(role, {}, config);
    const items = distinct.map((text) => modality.item({ text }, prompt));
    const set = modality.set(items);
    const predict = program.vectors.bind(program);
    const vectors = await set.vectors({ communicator: program.communicator, predict }, values, BATCH_SIZE);
    return new Map(distinct.map((text, i) => [text, vectors[set.numberOf(items[i]!)]!]));
  };
  const ofQueries = await vectorsOf(asked, 'query');
  const ofTexts = await vectorsOf([...corpus, ...queries.flatMap(({ texts }) => texts)], 'document');
  for (const { row, query, texts } of queries)
    found[row] = Float32Array.from(texts, (text) => cosine(ofQueries.get(query)!, ofTexts.get(text)!));
  if (!isTraining) return found;
  const mined = await mineByVectors(
    rows.rows.map(({ query, texts }) => [query, texts[0]!]),
    corpus,
    { queries: ofQueries, texts: ofTexts },
    readMining(reading.negatives!),
  );
  return mined.map((found) => Float32Array.from(found, ({ number }) => number));
}

const BATCH_SIZE = 64;
