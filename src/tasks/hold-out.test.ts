import { expect, it } from 'vitest';
import { holdOut } from './hold-out.ts';

interface Row {
  text: string;
  label: string;
}

const ROWS: Row[] = Array.from({ length: 200 }, (_, i) => ({
  text: `text ${i}`,
  label: i % 20 === 0 ? 'rare' : i % 3 === 0 ? 'some' : 'most',
}));
const heldOut = (rows: readonly Row[], share = 0.1) =>
  holdOut(
    rows,
    share,
    ({ text }) => [text],
    ({ label }) => label,
  );
const count = (rows: readonly Row[], label: string) => rows.filter((row) => row.label === label).length;

it('holds out the same share of every label', () => {
  const { train, validation } = heldOut(ROWS);
  expect([train.length, validation.length]).toEqual([180, 20]);
  for (const label of ['rare', 'some', 'most'])
    expect(Math.abs(count(validation, label) - count(ROWS, label) / 10)).toBeLessThanOrEqual(1);
});

it('holds out the same rows in any order, and duplicates on one side', () => {
  const texts = (rows: readonly Row[]) => rows.map(({ text }) => text).sort();
  const { validation } = heldOut(ROWS);
  expect(texts(heldOut([...ROWS].reverse()).validation)).toEqual(texts(validation));
  const twice = heldOut([...ROWS, ...ROWS.map((row) => ({ ...row, label: 'other' }))]);
  const trained = new Set(texts(twice.train));
  expect(texts(twice.validation).filter((text) => trained.has(text))).toEqual([]);
  expect(twice.validation.length).toBe(40);
});

it('holds out a share of many small labels together', () => {
  const rows = ROWS.map(({ text }, i) => ({ text, label: `${i % 100}` }));
  expect(heldOut(rows).validation).toHaveLength(20);
});
