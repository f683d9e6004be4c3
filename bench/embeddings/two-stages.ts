/**
 * Searches restaurants by descriptions (E2E) in two stages: vectors find 20 of all records, a reranker sorts them.
 * Prints nDCG@10 of BM25, of the vectors, of the reranker, and of their weighted sum, with 95 % intervals over queries.
 * The weight is chosen on other queries than those of the scores, and gains are differences of the same query.
 *
 * npx tsx bench/embeddings/two-stages.ts OUT                       # writes OUT/{train,validation,test}.jsonl
 * npx tsx bench/embeddings/two-stages.ts OUT RERANKER EMBEDDINGS... # measures with each first stage
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTable } from '../../src/input/data/table/read-table.ts';
import { Bm25 } from '../../src/scores/baselines/bm25.ts';
import { rankScores } from '../../src/scores/metrics/retrieval-scores.ts';
import { collect } from '../../src/support/arrays.ts';
import { mean } from '../../src/support/numbers.ts';
import { Random } from '../../src/support/random.ts';
import { findNearest } from '../../src/tasks/sentence-embedding/embed-texts.ts';
import { unit } from '../../src/tasks/sentence-vectors.ts';
import { open } from '../../src/use/trained/node/open.ts';

interface Pair {
  query: string;
  positive: string;
}

const [out = 'runs/two-stages', reranker, ...firsts] = process.argv.slice(2);
const [FOUND, PER_RECORD, VALIDATED, TUNED] = [20, 3, 40, 130] as const;
/** Weights of the cosine beside the reranker's logit. */
const WEIGHTS = [0, 1, 2, 5, 10, 20, 50, 100] as const;

if (reranker === undefined) writeRows();
else await measure(reranker, firsts);

/** `name[The Punter], familyFriendly[no]` as `The Punter, adults only`. */
function describeRecord(meaning: string): string {
  const slots = [...meaning.matchAll(/([\w ]+)\[([^\]]*)\]/g)];
  return slots
    .map(([, key, value]) => {
      if (key!.trim() === 'familyFriendly') return value === 'yes' ? 'family friendly' : 'adults only';
      if (key!.trim() === 'near') return `near ${value}`;
      return key!.trim() === 'priceRange' && !value!.includes('£') ? `${value} prices` : value;
    })
    .join(', ');
}

/** Writes three descriptions of each record to train on, and one of each other record to validate and to test. */
function writeRows(): void {
  mkdirSync(out, { recursive: true });
  for (const [name, file] of [
    ['train', 'devset'],
    ['test', 'testset_w_refs'],
  ] as const) {
    const path = `../shared/data/e2e/${file}.csv`;
    const described = new Map<string, string[]>();
    for (const [meaning, text] of readTable(readFileSync(path, 'utf8'), path).rows)
      described.set(meaning!, [...(described.get(meaning!) ?? []), text!]);
    const records = [...described].map(([meaning, texts]) => ({ positive: describeRecord(meaning), texts }));
    const validated = name === 'train' ? VALIDATED : 0;
    if (validated > 0) write('validation', records.slice(0, validated), 1);
    write(name, records.slice(validated), name === 'train' ? PER_RECORD : 1);
  }
}

function write(
  name: string,
  records: readonly { positive: string; texts: readonly string[] }[],
  limit: number,
): void {
  const pairs = records.flatMap(({ positive, texts }) =>
    texts.slice(0, limit).map((query): Pair => ({ query, positive })),
  );
  const order = new Random(0, name, 0).permutation(pairs.length);
  writeFileSync(
    join(out, `${name}.jsonl`),
    Array.from(order, (i) => `${JSON.stringify(pairs[i])}\n`).join(''),
  );
}

async function measure(second: string, firsts: readonly string[]): Promise<void> {
  const lines = readFileSync(join(out, 'test.jsonl'), 'utf8').trim().split('\n');
  const rows = lines.map((line): Pair => JSON.parse(line));
  const corpus = [...new Set(rows.map(({ positive }) => positive))];
  const rights = rows.map(({ positive }) => corpus.indexOf(positive));
  const queries = rows.map(({ query }) => query);
  const words = new Bm25(corpus);
  const all = [...corpus.keys()];
  const scored = queries.map((query, i) => score(all, words.scores(query), rights[i]!));
  print('BM25', scored);
  await using ranker = await open(second);
  for (const first of firsts) {
    const found = await findBest(first, corpus, queries);
    const pairs = found.flatMap(({ texts }, i) =>
      texts.map((text) => ({ text: queries[i]!, text_pair: corpus[text]! })),
    );
    const answers = await collect(ranker.predict<unknown, { label: number; logits: number[] }>(pairs));
    const scoredWith = (weight: number) =>
      found.map(({ texts, cosines }, i) => {
        const scores = cosines.map((cosine, k) => answers[i * FOUND + k]!.logits[0]! + weight * cosine);
        return score(texts, scores, rights[i]!);
      });
    const tuned = WEIGHTS.map((weight) => mean(scoredWith(weight).slice(0, TUNED)));
    const best = WEIGHTS[tuned.indexOf(Math.max(...tuned))]!;
    const vectors = found.map(({ texts, cosines }, i) => score(texts, cosines, rights[i]!));
    console.log(`\n${first}, ${rows.length - TUNED} queries`);
    print(
      `right record among the ${FOUND}`,
      found.map(({ texts }, i) => Number(texts.includes(rights[i]!))),
    );
    print('vectors', vectors);
    for (const [name, weight] of [
      ['reranker', 0],
      [`reranker + ${best} · cosine`, best],
    ] as const) {
      const values = scoredWith(weight);
      print(name, values);
      print(
        '  gain over vectors',
        values.map((x, i) => x - vectors[i]!),
      );
    }
  }
}

/** The records that the vectors of a model find for each query, the most similar first. */
async function findBest(path: string, corpus: readonly string[], queries: readonly string[]) {
  await using model = await open(path, { embeds: true });
  const units = (await model.embed([...corpus])).map(unit);
  const vectors = await model.embed([...queries]);
  return vectors.map((vector) => {
    const near = findNearest(vector, units, FOUND);
    return { texts: near.map(({ number }) => number), cosines: near.map(({ score }) => score) };
  });
}

/** nDCG@10 of texts in the order of their scores. At most one is right. */
function score(texts: readonly number[], scores: ArrayLike<number>, right: number): number {
  const grades = texts.map((text) => Number(text === right));
  return texts.includes(right) ? rankScores(scores, grades, grades.map(Boolean))['ndcg@10'] : 0;
}

/** Prints the mean over the queries that choose no weight, with its interval. */
function print(name: string, each: readonly number[]): void {
  const values = each.slice(TUNED);
  const center = mean(values);
  const error = Math.sqrt(mean(values.map((x) => (x - center) ** 2)) / values.length);
  console.log(name.padEnd(40), center.toFixed(3), `± ${(1.96 * error).toFixed(3)}`);
}
