import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FAMILIES, tinyClassifier } from '../../../tests/contracts/tiny-families.ts';
import { gradients } from '../../engine/autodiff/gradients.ts';
import { input } from '../../engine/graph/build.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { holdOut } from '../../input/data/split-rows.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import { groupFeeds, type RankingLoss, rerankingModel } from '../../program/objectives/reranking-model.ts';
import { rankScores } from '../../scores/metrics/retrieval-scores.ts';
import { type Mining, mineNegatives } from '../mine-negatives.ts';
import { reranking } from './definition.ts';
import { type RerankingData, rerankingDataSchema } from './reranking-rows.ts';

const read = (name: string) => JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8'));

/** Rounding errors of float32 sums in another order, for numbers near 1. */
const ROUNDING = 1e-6;

interface LossCase {
  kind: RankingLoss['kind'];
  groups: number[][];
  targets: number[][];
  logits: number[];
  loss: number;
  gradient: number[];
}

it.each(read('oracle.json').losses as LossCase[])('$kind equals sentence-transformers', async (known) => {
  const { definition, config } = tinyClassifier(FAMILIES[0]!);
  const model = rerankingModel({ kind: known.kind, scale: 10 })(definition, config);
  const logits = input(new Graph(), 'logits', 'float32', [known.logits.length, 1]);
  const loss = model.joint!.build(logits);
  const engine = nodeEngine({ bytes: () => new Uint8Array() } as never, 'cpu');
  const session = await engine.open({ loss, gradient: gradients(loss, [logits])[0]! });
  const groups = known.groups.map((places, i) => ({ places, targets: known.targets[i]! }));
  const found = await session.run({
    logits: { data: Float32Array.from(known.logits), dims: [known.logits.length, 1] },
    // Wider than the longest group, as in a file with longer ones.
    ...groupFeeds(groups, 6, known.kind),
  });
  await session.release();
  expect(Math.abs(found.loss!.data[0]! - known.loss)).toBeLessThan(ROUNDING * Math.max(1, known.loss));
  known.gradient.forEach((slope, i) => {
    expect(Math.abs(Number(found.gradient!.data[i]) - slope)).toBeLessThan(
      ROUNDING * Math.max(1, Math.abs(slope)),
    );
  });
});

it('scores orders as the evaluator of sentence-transformers, with ties', () => {
  for (const { scores, positives, expected } of read('oracle.json').scores) {
    const relevant = scores.map((_: number, i: number) => i < positives);
    const found = rankScores(scores, relevant.map(Number), relevant);
    // There, the order of equal scores is not defined, so neither is the first hit.
    for (const name of ['ndcg@10', 'map'] as const) expect(found[name]).toBeCloseTo(expected[name], 12);
  }
});

/** Vectors of 8 numbers, written as float32 in base64. */
function unpack(written: string): Float32Array[] {
  const { buffer, byteOffset } = Buffer.from(written, 'base64');
  return Array.from(
    { length: Buffer.from(written, 'base64').length / 32 },
    (_, i) => new Float32Array(buffer.slice(byteOffset + i * 32, byteOffset + i * 32 + 32)),
  );
}

describe('mined negatives equal those of sentence-transformers', () => {
  const { cases, ...vectors } = read('mined.json') as {
    queries: string;
    texts: string;
    cases: { settings: Mining & { rescored?: boolean }; negatives: string }[];
  };
  const [queries, texts] = [unpack(vectors.queries), unpack(vectors.texts)];
  it.each(cases)('on 500 rows: $settings', async ({ settings: { rescored, ...mining }, negatives }) => {
    const mined = await mineNegatives(
      {
        pairs: texts.map((_, i) => [i % queries.length, i]),
        similarities: (query) =>
          texts.map((text) => text.reduce((sum, x, k) => sum + x * queries[query]![k]!, 0)),
        rescore: rescored
          ? async (query, chosen) => chosen.map((text) => ((query * 7919 + text * 104729) % 99991) / 99991)
          : undefined,
      },
      { ...mining, range_min: mining.range_min ?? 0 },
    );
    const found = queries.map((_, query) =>
      mined
        .get(query)!
        .map(({ number }) => number)
        .join(' '),
    );
    expect(found).toEqual(negatives.split('\n'));
  });
});

describe('rows', () => {
  const readRows = (name: string, content: string, data: object) => {
    const reading = rerankingDataSchema.parse(data) as RerankingData;
    return reranking.files.read([{ name, size: content.length, read: () => content }], reading);
  };

  it('reads positives, pairs with labels, and lists', () => {
    expect(
      readRows('a.csv', 'q,p,n\nwho,me,you\n', { query: 'q', positive: 'p', negative: 'n' }).rows,
    ).toMatchObject([{ query: 'who', texts: ['me', 'you'], targets: [1, 0] }]);
    expect(
      readRows('a.csv', 'q,t,l\nwho,me,0.5\n', { query: 'q', text: 't', label: 'l' }).rows,
    ).toMatchObject([{ texts: ['me'], targets: [0.5] }]);
    const lists = readRows('a.jsonl', '{"q": "who", "t": ["me", "you"], "l": [2, 0]}', {
      query: 'q',
      text: 't',
      label: 'l',
    });
    expect(lists.rows).toMatchObject([{ texts: ['me', 'you'], targets: [2, 0] }]);
    expect(
      reranking.files.detected!(lists, rerankingDataSchema.parse({ text: 't', label: 'l' }) as RerankingData),
    ).toEqual({ loss: 'lambda' });
  });

  it('joins rows with grades to a list for each query, unless a cross-entropy is named', () => {
    const rows = 'q,t,l\nwho,me,3\nwho,you,0\nhow,so,1\n';
    const reading = { query: 'q', text: 't', label: 'l' };
    expect(readRows('a.csv', rows, reading).rows).toMatchObject([
      { query: 'who', texts: ['me', 'you'], targets: [3, 0] },
      { query: 'how', texts: ['so'], targets: [1] },
    ]);
    const named = { ...reading, loss: 'binary_cross_entropy' };
    expect(() => readRows('a.csv', rows, named)).toThrow(/a.csv:2.*from 0 to 1/s);
  });

  it('refuses labels that are no shares, with the line', () => {
    expect(() => readRows('a.csv', 'q,t,l\nwho,me,3\n', { query: 'q', text: 't', label: 'l' })).toThrow(
      /a.csv:2.*from 0 to 1/s,
    );
  });

  it('keeps all rows of a query on one side of a split', () => {
    const lines = Array.from({ length: 60 }, (_, i) => `q${i % 20},t${i}`).join('\n');
    const rows = readRows('a.csv', `q,p\n${lines}\n`, { query: 'q', positive: 'p' });
    const { train, validation } = holdOut(reranking.files.splittable!(rows, {} as never), 0.2);
    const held = new Set(validation.rows.map(({ query }) => query));
    expect(held.size).toBeGreaterThan(0);
    expect(train.rows.filter(({ query }) => held.has(query))).toEqual([]);
  });
});
