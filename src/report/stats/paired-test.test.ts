import { describe, expect, it } from 'vitest';
import { pairedTest, twoSided } from './paired-test.ts';

// t, degrees of freedom, and what SciPy 1.16 gives.
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

it('pairedTest is scipy.stats.ttest_rel, with its interval', () => {
  const { difference, p } = pairedTest([0.71, 0.69, 0.73, 0.7, 0.72], [0.7, 0.66, 0.71, 0.7, 0.69])!;
  expect(p).toBeCloseTo(0.036681989400440984, 12);
  expect(difference.mean).toBeCloseTo(0.017999999999999995, 12);
  // The quantile of t has five digits here.
  expect(difference.half).toBeCloseTo(0.016189317847087013, 6);
});

it('pairedTest needs two pairs, and knows equal runs', () => {
  expect(pairedTest([1], [2])).toBeUndefined();
  expect(pairedTest([1, 2], [1, 2])?.p).toBe(1);
  expect(pairedTest([2, 3], [1, 2])?.p).toBe(0);
});
