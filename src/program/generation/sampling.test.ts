import { describe, expect, it } from 'vitest';
import { TableModel } from '../../../tests/support/table-model.ts';
import { Random } from '../../support/random.ts';
import { computeProbabilities, draw, drawDistinct, topIndices } from './draw.ts';
import { generate } from './generate.ts';
import { generationSettings } from './generation-settings.ts';
import { samplingFilters } from './logits-processors.ts';

/**
 * Maximum distance between a frequency and its probability, in standard errors. A normal value exceeds 4.5
 * once in 150,000 times. With these seeds, none of the several hundred frequencies exceeds it.
 */
const ERRORS = 4.5;

function expectFrequency(count: number, draws: number, probability: number, what: string): void {
  const error = Math.sqrt((probability * (1 - probability)) / draws);
  expect(Math.abs(count / draws - probability), what).toBeLessThanOrEqual(ERRORS * error);
}

describe('sampling', () => {
  const vocab = 6;
  const table = new Random(3, 'table').normals(vocab ** 3, 1.5);
  const row = (before: number, last: number) => {
    const start = (before * vocab + last) * vocab;
    return computeProbabilities(table.slice(start, start + vocab).map((logit) => logit / 0.8));
  };
  const settings = (user: object) => generationSettings({ user: { do_sample: true, top_k: 0, ...user } });
  const sampled = settings({ temperature: 0.8, max_new_tokens: 2, num_return_sequences: 4 });

  it('draws pairs of tokens by their probabilities, over many seeds', async () => {
    const seeds = 2000;
    const counts = new Float64Array(vocab * vocab);
    for (let seed = 0; seed < seeds; seed++) {
      const rows = await generate(new TableModel(table, vocab), [[1, 4]], sampled, { seed });
      for (const [, , first, second] of rows) counts[first! * vocab + second!]!++;
    }
    counts.forEach((count, pair) => {
      const [first, second] = [Math.floor(pair / vocab), pair % vocab];
      const probability = row(1, 4)[first]! * row(4, first)[second]!;
      expectFrequency(count, seeds * 4, probability, `${first}, ${second}`);
    });
  });

  it('depends only on its seed', async () => {
    const run = (seed: number, user: object) =>
      generate(new TableModel(table, vocab), [[1, 4], [2]], settings({ pad_token_id: 0, ...user }), { seed });
    for (const user of [
      { max_new_tokens: 8 },
      { max_new_tokens: 8, num_beams: 3, num_return_sequences: 2 },
    ]) {
      expect(await run(7, user)).toEqual(await run(7, user));
      expect(await run(8, user)).not.toEqual(await run(7, user));
    }
  });

  it('gives a row the same tokens whether or not others have ended', async () => {
    const run = (ends: number[]) =>
      generate(
        new TableModel(table, vocab),
        [
          [1, 4],
          [1, 4],
          [3, 3],
        ],
        settings({ max_new_tokens: 12, eos_token_id: ends }),
      );
    const [free, ended] = [await run([vocab]), await run([0])];
    const lengths = free.map((tokens) => tokens.indexOf(0, 2) + 1 || tokens.length);
    expect(new Set(lengths).size).toBe(3);
    expect(ended.map((tokens, i) => tokens.slice(0, lengths[i]))).toEqual(
      free.map((tokens, i) => tokens.slice(0, lengths[i])),
    );
  });
});

describe('drawing', () => {
  const scores = Float32Array.from([1, 0, -1, Number.NEGATIVE_INFINITY, 2]);
  const probabilities = computeProbabilities(scores);

  it('selects indices in proportion to their weights', () => {
    const weights = Float32Array.from([0, 1, 0, 3, 0]);
    const at = [0, 0.2499, 0.25, 0.9999, 1 - 2 ** -32].map((uniform) => draw(weights, uniform));
    expect(at).toEqual([1, 1, 3, 3, 3]);
    expect(draw(new Float32Array(3), 0.5)).toBe(-1);
  });

  it('without replacement draws pairs by their probabilities', () => {
    const draws = 20_000;
    const random = new Random(1, 'test');
    const counts = new Map<string, number>();
    for (let i = 0; i < draws; i++) {
      const pair = drawDistinct(scores, [random.uniform(), random.uniform()]).join();
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
    const both = (a: number, b: number) => (probabilities[a]! * probabilities[b]!) / (1 - probabilities[a]!);
    const pairs = [4, 0, 1, 2].flatMap((a, i, order) => order.slice(i + 1).map((b) => [a, b]));
    for (const [a, b] of pairs) {
      expectFrequency(counts.get(`${a},${b}`) ?? 0, draws, both(a!, b!) + both(b!, a!), `${a}, ${b}`);
    }
    expect([...counts.values()].reduce((x, y) => x + y)).toBe(draws);
    expect(counts.size).toBe(pairs.length);
  });

  it('without replacement continues with the best if no probability is left', () => {
    const few = Float32Array.from([-1e9, 0, Number.NEGATIVE_INFINITY, -1e9, -1]);
    expect([...drawDistinct(few, [0.5, 0.1, 0.9, 0.3, 0.7])]).toEqual([1, 4, 0, 3, 2]);
  });
});

describe('equal scores', () => {
  const filtered = (settings: object, scores: number[], kept = 1) => {
    const result = Float32Array.from(scores);
    const all = { temperature: 1, top_k: 0, top_p: 1, ...settings };
    for (const filter of samplingFilters(all, kept)) filter(result, [], 0);
    return Array.from(result, (score) => (Number.isFinite(score) ? 1 : 0));
  };

  it('of the last of the top k stay; at the edge of top p, the lower index is removed', () => {
    expect(filtered({ top_k: 2 }, [3, 1, 3, 3, 0])).toEqual([1, 0, 1, 1, 0]);
    expect(filtered({ top_p: 0.5 }, [0, 0, 0, 0])).toEqual([0, 0, 1, 1]);
    expect(filtered({ top_p: 0 }, [1, 2, 2])).toEqual([0, 0, 1]);
  });

  it('and all others leave at least the minimum number of tokens', () => {
    expect(filtered({ top_k: 1 }, [1, 4, 2], 2)).toEqual([0, 1, 1]);
    expect(filtered({ top_p: 0.1 }, [1, 4, 2], 2)).toEqual([0, 1, 1]);
    expect(filtered({ min_p: 1 }, [1, 4, 2], 2)).toEqual([0, 1, 1]);
  });

  it('are in the order of their indices', () => {
    const values = Float32Array.from([1, 3, Number.NEGATIVE_INFINITY, 3, 2, 3]);
    expect([...topIndices(values, 4)]).toEqual([1, 3, 5, 4]);
    expect([...topIndices(values, 9)]).toEqual([1, 3, 5, 4, 0, 2]);
  });
});
