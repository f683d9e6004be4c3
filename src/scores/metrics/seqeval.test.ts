import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type EntityScores, entities, seqeval } from './seqeval.ts';

interface Case {
  name: string;
  /** The tags of each sentence, separated by spaces. */
  references: string[];
  predictions: string[];
  /** Entities as `type start end`. Positions count over all sentences, each followed by a tag `O`. */
  entities: string[];
  /** null if seqeval divides by zero. */
  accuracy: number | null;
  all: number[];
  types: Record<string, number[]>;
}

const fixture = JSON.parse(readFileSync('src/scores/metrics/fixtures/seqeval.json', 'utf8')) as {
  cases: Case[];
};
const tagsOf = (sentences: string[]) => sentences.map((tags) => tags.split(' ').filter((tag) => tag !== ''));
const listed = ({ precision, recall, f1, support }: EntityScores) => [precision, recall, f1, support];

// Exactly equal, because the same fractions are computed in the same order.
describe('equal to seqeval', () => {
  it.each(fixture.cases)('$name', ({ references, predictions, accuracy, all, types, ...expected }) => {
    const marked = entities(tagsOf(references).flatMap((tags) => [...tags, 'O']));
    expect(marked.map(({ type, start, end }) => `${type} ${start} ${end}`)).toEqual(expected.entities);

    const scores = seqeval(tagsOf(predictions), tagsOf(references));
    expect(listed(scores)).toEqual(all);
    expect(scores.accuracy).toEqual(accuracy ?? Number.NaN);
    expect([...scores.types].map(([type, of]) => [type, listed(of)])).toEqual(
      Object.entries(types).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  });
});

it('rejects mismatched input', () => {
  expect(() => seqeval([['O']], [])).toThrow('1 predictions for 0 references');
  expect(() => seqeval([['O']], [['O', 'O']])).toThrow('1 predictions for 2 references');
});
