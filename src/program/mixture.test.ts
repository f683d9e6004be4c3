import { expect, it } from 'vitest';
import type { ExampleSet } from './example-set.ts';
import { drawMixture, type Mixing, mixedCount, mixedSet } from './mixture.ts';

const COUNTS = [300, 100, 50];
const mixing = (strategy: Mixing['strategy']): Mixing => ({ probabilities: [0.5, 0.3, 0.2], strategy });
const indicesOf = (drawn: ReturnType<typeof drawMixture>, wanted: number) =>
  drawn.indices.filter((_, i) => drawn.sources[i] === wanted);

it('ends with the last example of the first source that has no more', () => {
  const drawn = drawMixture(COUNTS, mixing('first_exhausted'), 3);
  const all = COUNTS.map((_, source) => indicesOf(drawn, source));
  for (const [source, indices] of all.entries()) {
    expect(new Set(indices).size).toBe(indices.length);
    expect(Math.max(...indices)).toBeLessThan(COUNTS[source]!);
  }
  const full = all.filter((indices, source) => indices.length === COUNTS[source]);
  expect(full).toHaveLength(1);
  expect(all.indexOf(full[0]!)).toBe(drawn.sources.at(-1));
  // The count of n draws has a standard deviation of at most sqrt(n) / 2. The bound is four of them.
  const n = drawn.sources.length;
  for (const [source, probability] of mixing('first_exhausted').probabilities.entries())
    expect(Math.abs(all[source]!.length - n * probability)).toBeLessThan(2 * Math.sqrt(n));
  expect(Math.abs(n - mixedCount(COUNTS, mixing('first_exhausted')))).toBeLessThan(0.3 * n);
});

it('ends when each example has been used, and repeats sources in another order', () => {
  const drawn = drawMixture(COUNTS, mixing('all_exhausted'), 3);
  for (const [source, count] of COUNTS.entries()) {
    const indices = indicesOf(drawn, source);
    expect(new Set(indices.slice(0, count)).size).toBe(count);
  }
  const [first, second] = [0, 1].map((pass) => indicesOf(drawn, 2).slice(50 * pass, 50 * (pass + 1)));
  expect(new Set(second).size).toBe(50);
  expect(second).not.toEqual(first);
});

it('refuses a chance that would repeat the others without end', () => {
  const endless: Mixing = { probabilities: [1 - 1e-9, 1e-9], strategy: 'all_exhausted' };
  expect(() => drawMixture([10, 10], endless, 1)).toThrow('an epoch of about 10000000000 examples');
});

it('depends on the seed alone', () => {
  const draw = (seed: number) => drawMixture(COUNTS, mixing('first_exhausted'), seed);
  expect(draw(5)).toEqual(draw(5));
  expect(draw(5)).not.toEqual(draw(6));
});

it('draws from the examples of each source, where a row may have any number of examples', () => {
  const set: ExampleSet = {
    // Rows 0 and 2 have two examples each, row 3 has no example.
    rows: Int32Array.of(0, 0, 1, 2, 2, 4),
    lengths: Int32Array.of(10, 11, 12, 13, 14, 15),
    truncated: 0,
    batch: (examples, number) => ({ feeds: { examples, number } as never, weight: examples.length }),
  };
  const sources = [
    { name: 'a', rows: 2 },
    { name: 'b', rows: 3 },
  ];
  const none = [...sources, { name: 'c', rows: 1 }];
  const even: Mixing = { probabilities: [0.3, 0.3, 0.4], strategy: 'first_exhausted' };
  expect(() => mixedSet(set, none, even, 1)).toThrow('c has no examples to train on');
  const mixed = mixedSet(set, sources, { probabilities: [0.01, 0.99], strategy: 'first_exhausted' }, 1);
  expect(mixed.sources?.[0]?.examples).toBe(3);
  expect(mixed.sources?.[1]).toEqual({ name: 'b', examples: 3, drawn: 3 });
  expect([...mixed.lengths].filter((length) => length > 12).sort()).toEqual([13, 14, 15]);
  const { examples } = mixed.batch(Int32Array.of(1, 0), 7).feeds as unknown as { examples: Int32Array };
  expect(Array.from(examples, (example) => set.lengths[example])).toEqual([
    mixed.lengths[1],
    mixed.lengths[0],
  ]);
});
