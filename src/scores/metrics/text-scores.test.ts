import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bleu, tokenize13a } from './bleu.ts';
import { porterStem } from './porter-stem.ts';
import { ROUGE_TYPES, rouge, rougeOfText } from './rouge.ts';

/** The output of scripts/oracle/text_scores.py. */
interface Fixture {
  /** Entries `word:stem`, separated by spaces. */
  stems: string;
  texts: {
    prediction: string;
    references: string[];
    /** BLEU's tokens of the prediction. */
    tokens: string;
    /** Precision, recall and F-measure of each type. */
    rouge: [number, number, number][];
  }[];
  /** Indices into `texts`. */
  corpora: { texts: number[]; bleu: number }[];
}

const path = process.env.TEXT_SCORES ?? 'src/scores/metrics/fixtures/text-scores.json';
const { stems, texts, corpora } = JSON.parse(readFileSync(path, 'utf8')) as Fixture;

it("stems of words equal NLTK's", () => {
  const pairs = stems.split(' ');
  expect(pairs.length).toBeGreaterThan(100);
  expect(pairs.map((pair) => `${pair.split(':')[0]}:${porterStem(pair.split(':')[0]!)}`)).toEqual(pairs);
});

describe('ROUGE', () => {
  // Exactly equal, because the same fractions are computed in the same order.
  it('of every text equals rouge_score', () => {
    for (const { prediction, references, rouge: expected } of texts) {
      const scores = rougeOfText(prediction, references);
      const listed = ROUGE_TYPES.map((type) => Object.values(scores[type]));
      expect(listed, JSON.stringify({ prediction, references })).toEqual(expected);
    }
  });

  it('of several texts is the mean', () => {
    const mean = rouge(
      texts.map(({ prediction }) => prediction),
      texts.map(({ references }) => references),
    );
    ROUGE_TYPES.forEach((type, i) => {
      const sum = texts.reduce((total, { rouge: scores }) => total + scores[i]![2], 0);
      expect(mean[type]).toBe(sum / texts.length);
    });
  });
});

describe('BLEU', () => {
  it("has the words of sacrebleu's 13a", () => {
    expect(texts.map(({ prediction }) => tokenize13a(prediction).join(' '))).toEqual(
      texts.map(({ tokens }) => tokens),
    );
  });

  it('of a corpus equals sacrebleu', () => {
    for (const { texts: chosen, bleu: expected } of corpora) {
      const score = bleu(
        chosen.map((i) => texts[i]!.prediction),
        chosen.map((i) => texts[i]!.references),
      );
      // Exponentials and logarithms differ between math libraries in the last bits.
      expect(score).toBeCloseTo(expected, 10);
    }
  });

  it('takes no longer for many spaces than for as many letters', () => {
    expect(tokenize13a(`a${' '.repeat(200_000)}b`)).toEqual(['a', 'b']);
  });
});
