import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { holm, pairedTest, tQuantile, twoSided } from './interval.ts';

// t, degrees of freedom, and the p value from SciPy 1.16.
const TABLE: [number, number, number][] = [
  [0.3, 1, 0.8144528418445154],
  [0.3, 2, 0.7924856608401776],
  [0.3, 3, 0.783763292039919],
  [0.3, 4, 0.7791214282774598],
  [0.3, 5, 0.7762490422632745],
  [0.3, 9, 0.7709907037415248],
  [0.3, 10, 0.7703206075657986],
  [0.3, 30, 0.7662461052843528],
  [1.7, 1, 0.3385060546606654],
  [1.7, 2, 0.23123342620157122],
  [1.7, 3, 0.18769064155341003],
  [1.7, 4, 0.16435494127005],
  [1.7, 5, 0.149876786848324],
  [1.7, 9, 0.12334766214382385],
  [1.7, 10, 0.11996934590902035],
  [1.7, 30, 0.09947787558851685],
  [4.2, 1, 0.14880553059723445],
  [4.2, 2, 0.05228326694629917],
  [4.2, 3, 0.024632078176939253],
  [4.2, 4, 0.013695810305096449],
  [4.2, 5, 0.008489558963066208],
  [4.2, 9, 0.002306692506540238],
  [4.2, 10, 0.0018286964802676042],
  [4.2, 30, 0.00021978843421601978],
];

describe('twoSided is 2 * scipy.stats.t.sf(t, degrees)', () => {
  it.each(TABLE)('%d, %d degrees', (t, degrees, p) => expect(twoSided(t, degrees)).toBeCloseTo(p, 12));
});

const fixture = JSON.parse(readFileSync('src/scores/stats/fixtures/statistics.json', 'utf8'));

// scripts/oracle/paired_tests.py computed the values with SciPy. Twelve digits: they are sums of a few numbers near 1.
it.each(fixture.pairs as Record<string, never>[])(
  'pairedTest is scipy.stats',
  ({ first, second, ...scipy }) => {
    const test = pairedTest(first!, second!)!;
    const { mean, half = 0 } = test.difference;
    for (const [key, value] of Object.entries({ mean, low: mean - half, high: mean + half, ...test }))
      if (key in scipy) expect(value, key).toBeCloseTo(scipy[key]!, 12);
    expect(Object.keys(test).sort()).toEqual(['difference', 'effect', 'p']);
  },
);

it.each(fixture.quantiles as [number, number][])(
  'the t quantile of %i degrees is scipy.stats.t.ppf',
  (degrees, t) => {
    expect(tQuantile(degrees)).toBeCloseTo(t, 11);
  },
);

it('holm is the method of statsmodels', () => {
  const { p, corrected } = fixture.holm;
  holm(p).forEach((value, i) => expect(value).toBeCloseTo(corrected[i], 14));
  // A test without a p value leaves the others unchanged.
  expect(holm([undefined, 0.03, 0.04])).toEqual([undefined, 0.06, 0.06]);
});

it('pairedTest has no p without variance', () => {
  expect(pairedTest([1], [2])).toBeUndefined();
  expect(pairedTest([1, 2], [1, 2])).toEqual({ difference: { mean: 0, half: 0, count: 2 } });
  // The first is always better by one row of 277, so the differences are equal up to rounding.
  const [first, second] = [181, 180].map((least) => [0, 3, 7, 9].map((more) => (least + more) / 277)) as [
    number[],
    number[],
  ];
  expect(pairedTest(first, second)).toEqual({
    difference: { mean: expect.closeTo(1 / 277, 12), half: expect.closeTo(0, 12), count: 4 },
  });
});
