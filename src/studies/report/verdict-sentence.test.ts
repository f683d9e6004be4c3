import { expect, it } from 'vitest';
import type { Verdict } from '../../training/run/verdict.ts';
import { verdictNote, verdictSentence } from './verdict-sentence.ts';

const verdict: Verdict = {
  score: 'accuracy',
  value: 1,
  interval: [0.03, 1],
  rows: 1,
  to_beat: [{ name: 'a bag of words', value: 0, is_blind: false }],
  learnt: true,
  findings: [],
};

it('counts one row as one', () => {
  expect(verdictSentence(verdict)).toBe(
    'too few rows to tell: accuracy 1.000 (0.03 to 1.00) on 1 row; a bag of words 0.000',
  );
  expect(verdictSentence({ ...verdict, rows: 1200 })).toContain(' on 1,200 rows;');
});

it('adds a note to a page that has printed the score, without the score', () => {
  expect(verdictNote({ ...verdict, rows: 1200, kept: 'probe' })).toBe(
    '95 % interval 0.03 to 1.00; predicted by a linear probe, with the encoder unchanged; a bag of words 0.000',
  );
  expect(verdictNote({ ...verdict, interval: undefined, to_beat: [] })).toBe('too few rows to tell');
});
