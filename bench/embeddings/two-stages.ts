/**
 * Searches restaurants by descriptions (E2E) in two stages: vectors find 20 of all records, a reranker sorts them.
 * Prints nDCG@10 of BM25, of the vectors, of the reranker, and of weighted sums, with 95 % intervals over queries.
 *
 * npx tsx bench/embeddings/two-stages.ts OUT                              # writes OUT/{train,validation,test}.jsonl
 * npx tsx bench/embeddings/two-stages.ts OUT EMBEDDINGS RERANKER [COUNT] # measures on COUNT test queries
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTable } from '../../src/input/data/table/read-table.ts';
import { Bm25 } from '../../src/scores/baselines/bm25.ts';
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

const [out = 'runs/two-stages', embeddings, reranker, count = '200'] = process.argv.slice(2);
const [FOUND, PER_RECORD, WEIGHTS] = [20, 3, [5, 20]] as const;

if (embeddings === undefined || reranker === undefined) writeRows();
else await measure(embeddings, reranker);

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

/** Writes some descriptions of each record to train on, and one of each other record to test. */
function writeRows(): void {
  mkdirSync(out, { recursive: true });
  for (const [name, file, limit] of [
    ['train', 'devset', PER_RECORD],
    ['test', 'testset_w_refs', 1],
  ] as const) {
    const path = `../shared/data/e2e/${file}.csv`;
    const { rows } = readTable(readFileSync(path, 'utf8'), path);
    const described = new Map<string, string[]>();
    for (const [meaning, text] of rows) {
      const texts = described.get(meaning!) ?? [];
      described.set(meaning!, texts.length < limit ? [...texts, text!] : texts);
    }
    const pairs = [...described].flatMap(([meaning, texts]) =>
      texts.map((query): Pair => ({ query, positive: describeRecord(meaning) })),
    );
    const order = new Random(0, name, 0).permutation(pairs.length);
    const lines = Array.from(order, (i) => `${JSON.stringify(pairs[i])}\n`);
    writeFileSync(join(out, `${name}.jsonl`), lines.join(''));
    if (name === 'test') writeFileSync(join(out, 'validation.jsonl'), lines.slice(-20).join(''));
  }
}

async function measure(first: string, second: string): Promise<void> {
  const rows: Pair[] = readFileSync(join(out, 'test.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const corpus = [...new Set(rows.map(({ positive }) => positive))];
  const asked = rows.slice(0, Number(count));
  await using model = await open(first, { embeds: true });
  const units = (await model.embed(corpus)).map(unit);
  const queries = await model.embed(asked.map(({ query }) => query));
  await using ranker = await open(second);
  const words = new Bm25(corpus);
  const found: Record<string, number[]> = {};
  const add = (name: string, texts: readonly number[], scores: readonly number[], right: number) => {
    const order = [...texts.keys()].sort((a, b) => scores[b]! - scores[a]!);
    const rank = order.findIndex((i) => texts[i] === right);
    found[name] ??= [];
    found[name].push(rank >= 0 && rank < 10 ? 1 / Math.log2(rank + 2) : 0);
  };
  const all = [...corpus.keys()];
  for (const [i, { query, positive }] of asked.entries()) {
    const right = corpus.indexOf(positive);
    add('BM25', all, [...words.scores(query)], right);
    const near = findNearest(queries[i]!, units, FOUND);
    const texts = near.map(({ number }) => number);
    const cosines = near.map(({ score }) => score);
    add('vectors', texts, cosines, right);
    const inputs = texts.map((number) => ({ text: query, text_pair: corpus[number]! }));
    const answers = await collect(ranker.predict<unknown, { label: number; logits: number[] }>(inputs));
    const logits = answers.map(({ logits }) => logits[0]!);
    add('vectors, then reranker', texts, logits, right);
    for (const weight of WEIGHTS)
      add(
        `sum of ${weight} · cosine and logit`,
        texts,
        logits.map((x, k) => x + weight * cosines[k]!),
        right,
      );
    found[`found in ${FOUND}`] = [...(found[`found in ${FOUND}`] ?? []), Number(texts.includes(right))];
  }
  for (const [name, values] of Object.entries(found)) {
    const error = Math.sqrt(mean(values.map((x) => (x - mean(values)) ** 2)) / values.length);
    console.log(name.padEnd(40), mean(values).toFixed(3), `± ${(1.96 * error).toFixed(3)}`);
  }
}
