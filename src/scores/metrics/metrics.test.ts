import { describe, expect, it } from 'vitest';
import {
  accuracy,
  argmaxRows,
  binaryF1,
  classCounts,
  expectedCalibrationError,
  macroF1,
  matthewsCorrelation,
  microF1,
  positiveLogits,
} from './classes.ts';
import { computeOwn, ownMetricProblems } from './own-metrics.ts';
import { meanAbsoluteError, meanSquaredError, pearson, r2Score, spearmanr } from './regression-scores.ts';
import { SCORES, scoreDefinition } from './scores.ts';

// These values were computed on paper. The tests of the tasks compare all scores with scikit-learn and scipy.
describe('scores', () => {
  it('of classes', () => {
    const counts = classCounts([0, 1, 1, 2], [0, 1, 2, 2], 3);
    expect(accuracy([0, 1, 1, 2], [0, 1, 2, 2])).toBe(0.75);
    expect(macroF1(counts)).toBeCloseTo((1 + 2 / 3 + 2 / 3) / 3, 12);
    expect(binaryF1(classCounts([0, 1, 1, 0], [0, 1, 0, 1], 2))).toBe(0.5);
    // (4·3 - 5) / √((16 - 6) (16 - 6)). There are 4 rows, 3 of them right; 5 and 6 come from the class
    // counts.
    expect(matthewsCorrelation(counts)).toBeCloseTo(7 / 10, 12);
  });

  it('of sets of labels', () => {
    expect(accuracy([1, 0, 1, 1], [1, 0, 0, 1], 2)).toBe(0.5);
    expect(microF1([1, 0, 1, 1], [1, 0, 0, 1])).toBeCloseTo(4 / 5, 12);
  });

  it('of numbers', () => {
    expect(meanSquaredError([1, 2], [1, 4])).toBe(2);
    expect(meanAbsoluteError([1, 2], [1, 4])).toBe(1);
    // The first value is from scikit-learn's documentation.
    expect(r2Score([2.5, 0, 2, 8], [3, -0.5, 2, 7])).toBeCloseTo(0.948608, 6);
    expect([r2Score([1, 1], [1, 1]), r2Score([1, 2], [1, 1]), r2Score([1], [1])]).toEqual([1, 0, Number.NaN]);
    expect(pearson([1, 2, 3], [2, 4, 6])).toBeCloseTo(1, 12);
    expect(spearmanr([1, 10, 100], [3, 2, 1])).toBeCloseTo(-1, 12);
    expect(pearson([1], [2])).toBeNaN();
    expect(pearson([1, 1], [1, 2])).toBeNaN();
  });

  it.each([
    ['accuracy', accuracy],
    ['f1', microF1],
    ['mse', meanSquaredError],
    ['mae', meanAbsoluteError],
    ['r2', r2Score],
    ['pearson', pearson],
    ['spearmanr', spearmanr],
    ['counts', (x: number[], y: number[]) => classCounts(x, y, 2)],
  ])('of mismatched lengths are rejected: %s', (_, score) => {
    expect(() => score([1, 0, 1], [1, 0])).toThrow('3 predictions, 2 targets');
    expect(() => score([], [])).toThrow('0 targets');
  });
});

it('predicted labels are the largest logit of a row, or all above zero', () => {
  expect([...argmaxRows(Float32Array.of(1, 3, 2, 5, 4, 0), 3)]).toEqual([1, 0]);
  expect([...positiveLogits(Float32Array.of(-1, 0, 0.5))]).toEqual([0, 0, 1]);
});

it('facts of scores are known by name, and only of scores', () => {
  expect(scoreDefinition('mse')).toBe(SCORES.mse);
  expect(scoreDefinition('mse')?.lessIsBetter).toBe(true);
  expect(scoreDefinition('toString')).toBeUndefined();
});

it('rejects a custom score that is not a number, and names that are taken', async () => {
  const half = { half: () => 0.5 };
  expect(await computeOwn(half, [], [])).toEqual({ half: 0.5 });
  const text = { half: () => '0.5' as never };
  await expect(computeOwn(text, [], [])).rejects.toThrow('`metrics.half` must return a number, got "0.5".');
  const wrong = ownMetricProblems(['half', 'accuracy', 'runtime', '2nd']);
  expect(wrong.map(({ path }) => path.at(-1))).toEqual(['accuracy', 'runtime', '2nd']);
});

const logits = (...rows: number[][]) => Float32Array.from(rows.flat(), Math.log);

it('the expected calibration error is the mean difference of confidence and accuracy in each bin', () => {
  // Two rows share a bin: confidence 0.9, accuracy 0.5. The third is alone: confidence 0.6, accuracy 1.
  const rows = logits([0.9, 0.1], [0.1, 0.9], [0.6, 0.4]);
  // Probabilities of float32 logits have seven digits.
  expect(expectedCalibrationError(rows, 2, [0, 0, 0])).toBeCloseTo((2 * 0.4 + 0.4) / 3, 6);
});

it('the expected calibration error is 0 for certain and correct predictions', () => {
  expect(expectedCalibrationError(Float32Array.of(0, 1e4, -1e4, 0), 2, [1, 1])).toBe(0);
});
