import { describe, expect, it } from 'vitest';
import { isNoBetterThanFloor, type Verdict } from '../../../training/run/verdict.ts';
import { diagnose, diagnoseLosses, PROBE, type Symptoms } from './diagnose.ts';

const blind = { name: 'always "returns"', value: 0.22, is_blind: true };
const bag = { name: 'a bag of words', value: 0.9, is_blind: false };

const SYMPTOMS: Symptoms = {
  lessIsBetter: false,
  losses: { first: 1.61, last: 0.3, peak: 1.61 },
  isCrossEntropy: true,
  floorLoss: 1.6,
  learningRate: 2e-3,
  usualRate: 2e-3,
  steps: 60,
  epochs: 3,
  truncatedShare: 0,
  maxLength: 128,
};

function findings(verdict: Partial<Verdict>, symptoms: Partial<Symptoms> = {}) {
  const { value = 0.22, to_beat = [bag, blind] } = verdict;
  const learnt = !isNoBetterThanFloor(value, to_beat, symptoms.lessIsBetter);
  return diagnose(
    { score: 'accuracy', value, rows: 76, to_beat, learnt, findings: [], ...verdict },
    { ...SYMPTOMS, ...symptoms },
  ).map(({ message, remedy }) => `${message} ${remedy}`);
}

describe('a run that learned nothing', () => {
  it.each<[string, Partial<Symptoms>, string]>([
    [
      'exploded',
      { losses: { first: 1.7, last: 182, peak: 182 }, learningRate: 5 },
      'The training loss exploded, from 1.7 to 182. The learning rate is too high. Lower training.learning_rate from 5 to 0.002.',
    ],
    [
      'exploded and came back',
      { losses: { first: 453, last: 0.7, peak: 476 } },
      'The training loss exploded, from 453 to 0.7. The learning rate is too high. Lower training.learning_rate from 0.002 to 0.0002.',
    ],
    [
      'began with numbers far from those of the rows',
      { losses: { first: 453, last: 1, peak: 453 }, isCrossEntropy: false },
      'The training loss fell (from 453 to 1), but the held-out rows are not predicted better. Check that data.validation is labeled like data.train. Otherwise label more rows, or lower training.num_train_epochs.',
    ],
    [
      'was never a number',
      { losses: { first: Number.NaN, last: Number.NaN, peak: Number.NaN } },
      'The training loss exploded, from not a number to not a number. The learning rate is too high. Lower training.learning_rate from 0.002 to 0.0002.',
    ],
    [
      'read little',
      { truncatedShare: 0.83, maxLength: 8 },
      '83 % of the texts were truncated to 8 tokens, so the model did not see most of their content. Raise data.max_length (now 8).',
    ],
    [
      'was too slow',
      { losses: { first: 1.61, last: 1.6, peak: 1.61 }, learningRate: 1e-6 },
      'The training loss hardly fell, from 1.61 to 1.6. Raise training.learning_rate (now 0.000001, usually 0.002), or try a larger model.',
    ],
    [
      'was too short',
      { losses: { first: 1.61, last: 1.6, peak: 1.61 } },
      'The training loss hardly fell, from 1.61 to 1.6. Raise training.num_train_epochs (now 3, 60 steps), or try a larger model.',
    ],
    [
      'learned by heart',
      {},
      'The training loss fell (from 1.61 to 0.3), but the held-out rows are not predicted better. Check that data.validation is labeled like data.train. Otherwise label more rows, or lower training.num_train_epochs.',
    ],
  ])('states the reason: it %s', (_, symptoms, message) => {
    const found = findings({}, symptoms);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  it.each([
    [
      0.3,
      'The model memorized the training rows, but this does not help on others, and a bag of words does no better. Check that data.text and data.label name the right columns. If they do, label more rows, or try a larger model.',
    ],
    [
      1.6,
      'The texts do not predict the labels, and a bag of words does no better. Check that data.text and data.label name the right columns. If they do, label more rows, or try a larger model.',
    ],
  ])('blames no labels if words carry no information, with a loss of %d', (last, message) => {
    const to_beat = [{ ...bag, value: 0.23 }, blind];
    const [found] = findings({ to_beat }, { losses: { first: 1.61, last, peak: 1.61 } });
    expect(found).toContain(message);
    expect(found).toContain('Check that data.text and data.label name the right columns');
  });

  it('names the better way that a baseline knows, also if the run learned something', () => {
    const known = { ...bag, name: 'BM25', remedy: 'Train vectors.' };
    for (const value of [0.22, 0.5])
      expect(findings({ value, to_beat: [known, blind] })).toEqual(['BM25 is better. Train vectors.']);
  });

  it('reports that all rows have one prediction', () => {
    const confusion = {
      labels: ['returns', 'payment'],
      counts: [
        [10, 0],
        [20, 0],
      ],
    };
    expect(findings({}, { confusion })[0]).toContain(
      'The training loss fell (from 1.61 to 0.3), but the held-out rows are not predicted better. The model predicts "returns" for every row. Check that data.validation is labeled like data.train. Otherwise label more rows, or lower training.num_train_epochs.',
    );
  });

  it('names class weights if the rows are unbalanced, also if it learned something', () => {
    const confusion = {
      labels: ['ham', 'spam'],
      counts: [
        [90, 0],
        [10, 0],
      ],
    };
    const unbalanced =
      'The classes are unbalanced: 90 % of the rows are "ham", and 0 % of those with "spam" are found. Macro F1 is 0.474.';
    expect(findings({}, { confusion })[0]).toBe(
      `${unbalanced} The model predicts "ham" for every row. Set training.class_weights: balanced, or label more rows of the rare classes.`,
    );
    const some = {
      labels: ['ham', 'spam'],
      counts: [
        [89, 1],
        [8, 2],
      ],
    };
    expect(findings({ value: 0.91, learnt: true }, { confusion: some })[0]).toMatch(
      /20 % of those with "spam"/,
    );
  });

  it('cannot be distinguished from one that learned if the held-out rows have one class', () => {
    const confusion = {
      labels: ['returns', 'payment'],
      counts: [
        [10, 0],
        [0, 0],
      ],
    };
    const [found] = findings({ value: 1, to_beat: [{ ...blind, value: 1 }] }, { confusion });
    expect(found).toContain('Every held-out row is "returns"');
  });

  it.each([
    [{ score: 'pearson', value: 0.4 }, Number.NaN, false, true],
    [{ score: 'pearson', value: -0.1 }, Number.NaN, false, false],
    [{ score: 'mae', value: 0.4 }, 0.5, true, true],
    [{ score: 'mae', value: 0.6 }, 0.5, true, false],
    [{ score: 'accuracy', value: Number.NaN }, 0.5, false, false],
    [{ score: 'accuracy', value: 0.5 }, 0.5, false, false],
  ])(
    'is no better than without reading: %j beside %d (less is better: %s): learned %s',
    (verdict, value, lessIsBetter, learnt) => {
      expect(isNoBetterThanFloor(verdict.value, [{ ...blind, value }], lessIsBetter)).toBe(!learnt);
    },
  );
});

describe('a run that trained on from a head', () => {
  const start = { name: 'the model before training', value: 3.1, is_blind: false, is_start: true };
  const losses = { first: 3, last: 2, peak: 3 };
  const lm = { score: 'loss', value: 3.2, to_beat: [start] };

  it('is printed if the model was right before, and reports no loss that stayed', () => {
    const right = { ...start, value: 1 };
    const [found] = findings({ score: 'accuracy', value: 1, to_beat: [right], learnt: true }, {});
    expect(found).toMatch(/^The model before training is already right on the held-out rows\./);
    const still = { losses: { first: 0.0597, last: 0.0597, peak: 0.06 }, floorLoss: 1 };
    expect(findings({ score: 'ndcg@10', value: 0.8, to_beat: [{ ...start, value: 0.9 }] }, still)[0]).toMatch(
      /^The model is no better on the held-out rows than before training\./,
    );
  });

  it('has learned nothing if the model was as good before', () => {
    const [found] = findings(lm, { losses, floorLoss: 3.1, lessIsBetter: true });
    expect(found).toMatch(
      /^The training loss fell \(from 3 to 2\), but the model is no better on the held-out rows than before training\. Lower/,
    );
    const exploded = findings(lm, {
      losses: { first: 3, last: 9, peak: 9 },
      floorLoss: 3.1,
      lessIsBetter: true,
    });
    expect(exploded[0]).toContain('The training loss exploded');
  });

  it('is compared with the frequencies of tokens too', () => {
    const unigrams = { name: 'a unigram model', value: 3, is_blind: true };
    const worse = { score: 'loss', value: 3.05, to_beat: [unigrams, start] };
    const [found] = findings(worse, { losses, floorLoss: 3.1, lessIsBetter: true });
    expect(found).toMatch(
      /^The training loss fell \(from 3 to 2\), but the model is no better on the held-out rows than a unigram model\. Lower/,
    );
  });

  it('says if too few rows tell it from the model before', () => {
    const close = { ...lm, value: 3, interval: [2.8, 3.2] as [number, number], rows: 9 };
    expect(findings(close, { losses, lessIsBetter: true })[0]).toContain(
      'With 9 held-out rows, the score is not clearly better than the model before training.',
    );
  });

  it('is not told of shuffled labels', () => {
    const words = { ...bag, value: 0.1 };
    const [found] = findings({ value: 0.2, to_beat: [words, { ...start, value: 0.3 }] }, { losses });
    expect(found).not.toContain('shuffled');
  });
});

describe('a run that learned', () => {
  it('has no findings if it beats all baselines', () => {
    expect(findings({ value: 0.95, interval: [0.92, 0.98] })).toEqual([]);
  });

  it('reports too few rows', () => {
    const [found] = findings({ value: 0.3, interval: [0.1, 0.5], rows: 12, to_beat: [blind] });
    expect(found).toContain(
      'With 12 held-out rows, the score is not clearly better than always "returns". Hold out more rows (data.validation), or label more rows.',
    );
  });

  it('reports a linear probe that is better, and how to end with it', () => {
    const probe = { name: PROBE, value: 0.9, is_blind: false };
    expect(findings({ value: 0.6, interval: [0.5, 0.7], to_beat: [probe, blind] })).toEqual([
      'A linear probe is better. Set training.floor: true to end with it. Otherwise raise training.num_train_epochs (now 3, 60 steps), or try a larger model.',
    ]);
  });

  it('reports a bag of words that is better by more than chance', () => {
    expect(findings({ value: 0.6, interval: [0.5, 0.7] })).toEqual([
      'A bag of words is better. Raise training.num_train_epochs (now 3, 60 steps), or try a larger model.',
    ]);
    expect(findings({ value: 0.88, interval: [0.8, 0.95] })).toEqual([]);
  });
});

it.each([
  [{ first: 0.7, last: 0.69, peak: 0.7 }, true, 'The training loss hardly fell, from 0.7 to 0.69.'],
  [{ first: 2.2701, last: 2.2699, peak: 2.28 }, true, 'The training loss stayed at 2.27.'],
  [{ first: 0.7, last: 182, peak: 182 }, false, 'The training loss exploded, from 0.7 to 182.'],
  [{ first: 0.7, last: 0.69, peak: 0.7 }, false, undefined],
  [{ first: 0.7, last: 0.7, peak: 0.7 }, true, undefined],
  [{ first: 0.7, last: 0.1, peak: 0.7 }, true, undefined],
])('a run without held-out rows is judged by its losses: %j, new head: %s', (losses, isNewHead, message) => {
  const found = diagnoseLosses({ ...SYMPTOMS, losses, floorLoss: undefined }, isNewHead);
  expect(found.map((finding) => finding.message)).toEqual(
    message === undefined ? [] : [expect.stringContaining(message)],
  );
});
