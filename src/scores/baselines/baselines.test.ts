import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseRows } from '../../input/data/parse-rows.ts';
import { bagOfWords, splitWords, TfIdf } from './bag-of-words.ts';
import { type LinearLoss, minimize } from './linear-model.ts';

const rows = (name: string) =>
  parseRows(readFileSync(`examples/starter/${name}.tsv`, 'utf8'), name, { text: 'text', label: 'label' });
const [train, others] = [rows('train'), rows('validation').slice(0, 4)];
const classes = ['delivery', 'payment', 'returns'];
const ids = train.map(({ label }) => classes.indexOf(String(label)));

/*
 * Scores of scikit-learn 1.9.1 on the features of TfidfVectorizer(). The models are
 * LogisticRegression(tol=1e-8) on three classes, the same on the first class against the others, and Ridge()
 * for a tenth of the number of characters. Softmax scores are shifted to mean 0 in each row, because their
 * mean is arbitrary.
 */
const ORACLE: [LinearLoss, outputs: number, targets: number[], expected: number[]][] = [
  [
    'softmax',
    3,
    ids,
    [
      ...[0.36983, -0.23672, -0.13311, -0.2433, 0.28534, -0.04204],
      ...[-0.34755, -0.06187, 0.40942, 0.47026, -0.06557, -0.40469],
    ],
  ],
  ['sigmoid', 1, ids.map((id) => Number(id === 0)), [-0.30982, -1.00531, -1.12467, -0.1977]],
  ['squared', 1, train.map(({ text }) => text.length / 10), [4.43691, 4.05675, 4.3432, 3.9921]],
];

describe('a bag of words', () => {
  it('has the words of scikit-learn', () => {
    expect(splitWords('I paid £20, naïve_me: 2nd Größe!')).toEqual([
      'paid',
      '20',
      'naïve_me',
      '2nd',
      'größe',
    ]);
    expect(
      new TfIdf(
        train.map(({ text }) => splitWords(text)),
        1e6,
      ).width,
    ).toBe(201);
  });

  // Both fits stop at gradients below 1e-4 per row, so scores agree to about 1e-3.
  it.each(ORACLE)('scores as scikit-learn does: %s', async (loss, outputs, targets, expected) => {
    const scores = await bagOfWords({ texts: train, targets, outputs, loss }, others);
    const centered = (i: number) => {
      if (loss !== 'softmax') return scores[i]!;
      const row = Math.floor(i / outputs) * outputs;
      return scores[i]! - scores.subarray(row, row + outputs).reduce((a, b) => a + b) / outputs;
    };
    expected.forEach((score, i) => {
      expect(Math.abs(centered(i) - score)).toBeLessThan(5e-3);
    });
  });

  it('takes evenly spaced rows if there are too many', async () => {
    const texts = Array.from({ length: 300 }, (_, i) => ({ text: i % 3 === 0 ? 'one' : 'other' }));
    const targets = texts.map((_, i) => Number(i % 3 === 0));
    const few = { weights: 1e6, characters: 500 };
    const scores = await bagOfWords({ texts, targets, outputs: 1, loss: 'sigmoid' }, texts.slice(0, 2), few);
    expect(scores[0]).toBeGreaterThan(scores[1]!);
    expect(scores).not.toEqual(
      await bagOfWords({ texts, targets, outputs: 1, loss: 'sigmoid' }, texts.slice(0, 2)),
    );
  });

  it('distinguishes the words of the second text from those of the first', async () => {
    const texts = ['ab', 'ba'].flatMap((pair) =>
      Array(9).fill({ text: `${pair[0]}${pair[0]}`, textPair: `${pair[1]}${pair[1]}` }),
    );
    const targets = texts.map((_, i) => Number(i < 9));
    const scores = await bagOfWords({ texts, targets, outputs: 1, loss: 'sigmoid' }, texts);
    expect(scores[0]).toBeGreaterThan(1);
    expect(scores[17]).toBeLessThan(-1);
  });

  it('is fitted even if no row has a word', async () => {
    const texts = ['', '?', 'a'].map((text) => ({ text }));
    const scores = await bagOfWords({ texts, targets: [1, 1, 0], outputs: 1, loss: 'sigmoid' }, [texts[0]!]);
    expect(scores[0]).toBeCloseTo(Math.log(2), 2);
  });
});

it('minimize finds the minimum of a narrow valley', async () => {
  // (x - 3)² + 100 (y + x)²
  const found = await minimize(
    ([x, y], gradient) => {
      gradient[0] = 2 * (x! - 3) + 200 * (y! + x!);
      gradient[1] = 200 * (y! + x!);
      return (x! - 3) ** 2 + 100 * (y! + x!) ** 2;
    },
    new Float64Array(2),
    { tolerance: 1e-8 },
  );
  expect(found[0]).toBeCloseTo(3, 6);
  expect(found[1]).toBeCloseTo(-3, 6);
});
