import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { splitAnswer, squadScores } from './squad-scores.ts';
import { squadV2Scores } from './squad-v2-scores.ts';

interface Case {
  version: number;
  /** Id, reference answers, predicted answer, odds of no answer. */
  questions: [string, string[], string | null, number][];
  /** In percent. For v2.0, once without and once with odds. */
  scores: Record<string, number>[];
}

const fixture = process.env.SQUAD_CASES ?? 'src/scores/metrics/squad/fixtures/squad.json';
const { cases } = JSON.parse(readFileSync(fixture, 'utf8')) as { cases: Case[] };

describe('equal to the official scripts', () => {
  it.each(cases.map((of, i) => ({ name: `${i}, of v${of.version}`, ...of })))(
    'case $name',
    ({ version, questions, scores }) => {
      const asked = questions.map(([id, answers]) => ({ id, answers }));
      const predicted = new Map(
        questions.flatMap(([id, , text]) => (text === null ? [] : [[id, text] as const])),
      );
      const odds = new Map(questions.map(([id, , , odd]) => [id, odd]));
      const ours: Record<string, number>[] =
        version === 1
          ? [{ ...squadScores(asked, predicted) }]
          : [squadV2Scores(asked, predicted), squadV2Scores(asked, predicted, { odds })];
      ours.forEach((found, i) => {
        expect(Object.keys(found)).toEqual(Object.keys(scores[i]!));
        for (const [name, score] of Object.entries(scores[i]!)) {
          const isShare = !/total|thresh/.test(name);
          // The script multiplies a sum by 100, or rounds differently, so the last digits of a double may
          // differ.
          expect(found[name]! * (isShare ? 100 : 1)).toBeCloseTo(score, isShare ? 10 : 15);
        }
      });
    },
  );
});

it('a question without a prediction counts 0; a rightly empty one is exact without common words', () => {
  const questions = [
    { id: 'a', answers: ['the'] },
    { id: 'b', answers: ['x'] },
  ];
  expect(squadScores(questions, new Map([['a', '']]))).toEqual({ exact_match: 0.5, f1: 0 });
});

it('a given threshold', () => {
  const questions = [{ id: 'a', answers: [] }];
  const predictions = new Map([['a', 'x']]);
  const odds = new Map([['a', 0.5]]);
  expect(squadV2Scores(questions, predictions, { odds }).exact).toBe(0);
  expect(squadV2Scores(questions, predictions, { odds, threshold: 0 }).exact).toBe(1);
});

it('words as in Python', () => {
  expect(splitAnswer('The a\u0301 İstanbul\u2003Theory, an_a—the')).toEqual([
    '\u0301',
    'i\u0307stanbul',
    'theory',
    'ana—',
  ]);
});
