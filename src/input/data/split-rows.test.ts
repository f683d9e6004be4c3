import { describe, expect, it } from 'vitest';
import { groupEqualTexts, holdOut, type Splittable, splitFolds } from './split-rows.ts';

interface Row {
  texts: string[];
  label: string;
}

const splittable = (rows: readonly Row[]): Splittable<Row[]> => ({
  texts: rows.map(({ texts }) => texts),
  strata: rows.map(({ label }) => label),
  pick: (numbers) => numbers.map((number) => rows[number]!),
});

const ROWS: Row[] = Array.from({ length: 200 }, (_, i) => ({
  texts: [`text ${i}`],
  label: i % 20 === 0 ? 'rare' : i % 3 === 0 ? 'some' : 'most',
}));
const textsOf = (rows: readonly Row[]) => rows.map(({ texts }) => texts.join()).sort();
const count = (rows: readonly Row[], label: string) => rows.filter((row) => row.label === label).length;

/** Rows of pairs in which every third text occurs twice, on either side. */
const PAIRS: Row[] = Array.from({ length: 90 }, (_, i) => ({
  texts: i % 3 === 0 ? [`a ${i + 1}`, `b ${i}`] : [`a ${i}`, i % 3 === 1 ? `b ${i}` : `a ${i - 1}`],
  label: i % 2 === 0 ? 'yes' : 'no',
}));

/** The texts that are on both sides. */
function straddling({ train, validation }: { train: Row[]; validation: Row[] }): string[] {
  const trained = new Set(train.flatMap(({ texts }) => texts));
  return validation.flatMap(({ texts }) => texts).filter((text) => trained.has(text));
}

it('rows that share a text are one group, also through other rows and the other column', () => {
  const rows = [['a', 'b'], ['c'], ['d', 'a'], ['e', 'f'], ['f ', 'd'], ['c'], ['', 'g'], ['', 'h'], ['']];
  expect([...groupEqualTexts(rows)]).toEqual([0, 1, 0, 0, 0, 1, 2, 3, 4]);
});

describe('holding out', () => {
  it('takes the same share of every label', () => {
    const { train, validation } = holdOut(splittable(ROWS), 0.1);
    expect([train.length, validation.length]).toEqual([180, 20]);
    for (const label of ['rare', 'some', 'most'])
      expect(Math.abs(count(validation, label) - count(ROWS, label) / 10)).toBeLessThanOrEqual(1);
  });

  it('takes the same rows in any order, and leaves copies on one side', () => {
    const { validation } = holdOut(splittable(ROWS), 0.1);
    expect(textsOf(holdOut(splittable([...ROWS].reverse()), 0.1).validation)).toEqual(textsOf(validation));
    const copies = ROWS.map((row) => ({ ...row, label: 'other' }));
    const twice = holdOut(splittable([...ROWS, ...copies]), 0.1);
    expect(straddling(twice)).toEqual([]);
    expect(twice.validation).toHaveLength(40);
  });

  it('moves few rows if rows are added', () => {
    // The share of both numbers is a whole number, so only the added rows displace others.
    const before = textsOf(holdOut(splittable(ROWS.slice(40)), 0.25).validation);
    const now = new Set(textsOf(holdOut(splittable(ROWS), 0.25).validation));
    expect(before).toHaveLength(40);
    expect(before.filter((text) => !now.has(text)).length).toBeLessThanOrEqual(8);
  });

  it('takes a share of many small labels together, but not the only row of a label', () => {
    const labeled = (labels: number) => ROWS.map(({ texts }, i) => ({ texts, label: `${i % labels}` }));
    expect(holdOut(splittable(labeled(100)), 0.1).validation).toHaveLength(20);
    const lone = { texts: ['a lone one'], label: 'lone' };
    for (const share of [0.1, 0.5, 0.9])
      expect(holdOut(splittable([...ROWS, lone]), share).train).toContainEqual(lone);
  });

  it('keeps pairs that share a text on one side', () => {
    const parts = holdOut(splittable(PAIRS), 0.2);
    expect(straddling(parts)).toEqual([]);
    expect(Math.abs(parts.validation.length - 18)).toBeLessThanOrEqual(2);
  });

  it('leaves a group that is much larger than the share in training', () => {
    const same = Array.from({ length: 60 }, (_, i) => ({ texts: [`a ${i}`, 'one text'], label: 'same' }));
    const rows = [...same, ...ROWS.slice(0, 40)];
    const { train, validation } = holdOut(splittable(rows), 0.2);
    expect(count(train, 'same')).toBe(60);
    expect(validation.length).toBeGreaterThan(5);
    const two = splittable([
      ...same,
      { texts: ['other'], label: 'same' },
      { texts: ['other', 'x'], label: '' },
    ]);
    expect(holdOut(two, 0.01).validation).toHaveLength(2);
  });

  it('is an error if one side would be empty', () => {
    expect(() => holdOut(splittable(PAIRS.slice(0, 1)), 0.5)).toThrow('data.validation leaves ');
    const alike = PAIRS.map(({ texts: [text], label }) => ({ texts: [text!, 'the same'], label }));
    expect(() => holdOut(splittable(alike), 0.5)).toThrow('The 90 rows are 1 group with texts in common');
  });
});

describe('folds', () => {
  it.each([2, 5, 10])('%i hold out each row once, of every label the same share', (k) => {
    const folds = splitFolds(splittable(ROWS), k);
    expect(textsOf(folds.flatMap(({ validation }) => validation))).toEqual(textsOf(ROWS));
    for (const { train, validation } of folds) {
      expect(train.length + validation.length).toBe(200);
      expect(validation).toHaveLength(200 / k);
      for (const label of ['rare', 'some', 'most'])
        expect(Math.abs(count(validation, label) - count(ROWS, label) / k)).toBeLessThanOrEqual(2);
    }
    expect(folds[0]).toEqual(holdOut(splittable(ROWS), 1 / k));
  });

  it('keep pairs that share a text together, and are not empty for few or unequal groups', () => {
    for (const fold of splitFolds(splittable(PAIRS), 5)) expect(straddling(fold)).toEqual([]);
    const same = Array.from({ length: 60 }, (_, i) => ({ texts: [`a ${i}`, 'one text'], label: 'same' }));
    const unequal = splitFolds(splittable([...same, ...ROWS.slice(0, 40)]), 5);
    expect(unequal.map(({ validation }) => validation.length)).toEqual([10, 10, 10, 10, 60]);
    for (const groups of [5, 6, 7, 11])
      for (const { train, validation } of splitFolds(splittable(PAIRS.slice(0, 3 * groups)), 5))
        expect(Math.min(train.length, validation.length)).toBeGreaterThan(0);
    expect(() => splitFolds(splittable(same), 2)).toThrow('has 1 groups of rows without a common text');
  });
});
