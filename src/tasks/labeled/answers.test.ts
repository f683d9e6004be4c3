import { describe, expect, it } from 'vitest';
import { shortest } from '../classes/labels.ts';
import { labelSetKind } from '../multi-label-classification/definition.ts';
import { scoreKind } from '../regression/definition.ts';
import { classKind } from '../single-label-classification/definition.ts';

const logits = (...values: number[]) => Float32Array.from(values);

describe('an answer', () => {
  it('of one class is a softmax that does not overflow', () => {
    const { label, probabilities } = classKind.answer(logits(1000, 1001, 999), ['a', 'b', 'c']);
    expect(label).toBe('b');
    const sum = 1 + Math.exp(-1) + Math.exp(-2);
    for (const [name, power] of Object.entries({ a: Math.exp(-1), b: 1, c: Math.exp(-2) }))
      expect(probabilities[name]).toBeCloseTo(power / sum, 7);
  });

  it('of several classes is a sigmoid each', () => {
    const answer = labelSetKind.answer(logits(0.5, -40, 0), ['a', 'b', 'c']);
    // A caller may write the answer itself as JSON.
    expect(JSON.parse(JSON.stringify(answer)).logits).toEqual([0.5, -40, 0]);
    expect(labelSetKind.json(answer, false, ['a', 'b', 'c'])).toEqual({
      label: ['a'],
      probabilities: { a: 0.62245933, b: 4.248354e-18, c: 0.5 },
    });
  });

  it('of a score is the score', () => {
    expect(scoreKind.json(scoreKind.answer(logits(2.7), []), false, [])).toEqual({ label: 2.7 });
  });

  it.each([
    ['RTE', ['entailment', 'not_entailment'], 'not_entailment'],
    ['WNLI', ['not_entailment', 'entailment'], '1'],
    ['MRPC', ['not_equivalent', 'equivalent'], '1'],
    ['MRPC by number', ['0', '1'], '1'],
  ])("has the class names of %s in GLUE's format", (_, labels, expected) => {
    expect(classKind.submitted(classKind.answer(logits(0, 1), labels))).toBe(expected);
  });

  it.each([
    ['a class', classKind, logits(2.7, 0.1)],
    ['labels', labelSetKind, logits(2.7, 0.1)],
    ['a score', scoreKind, logits(2.7)],
  ])('of %s has the logits with details', (_, kind, values) => {
    const answer = kind.answer(values, ['a', 'b']);
    const json = kind.json(answer as never, true, ['a', 'b']) as { logits: number[] };
    expect(json.logits).toEqual(values.length === 2 ? [2.7, 0.1] : [2.7]);
    expect(kind.json(answer as never, false, ['a', 'b'])).not.toHaveProperty('logits');
  });

  it('as text has the probability of each label', () => {
    const classes = ['ham', 'spam'];
    const none = { logits: [] };
    expect(
      classKind.describe({ ...none, label: 'spam', probabilities: { ham: 0.0123, spam: 0.9877 } }, classes),
    ).toBe('spam, 98.8 %');
    expect(
      classKind.describe({ ...none, label: 'ham', probabilities: { ham: 0.9999, spam: 0.0001 } }, classes),
    ).toBe('ham, more than 99.9 %');
    const several = { ...none, label: ['a', 'c'], probabilities: { a: 0.6, b: 0.1, c: 0.75 } };
    expect(labelSetKind.describe(several, ['a', 'b', 'c'])).toBe('a, 60.0 %; c, 75.0 %');
    expect(labelSetKind.describe({ ...none, label: [], probabilities: { a: 0.1 } }, ['a'])).toBe(
      'none of the labels',
    );
    expect(scoreKind.describe({ ...none, label: 3.25 }, [])).toBe('3.25');
  });
});

it('numbers keep all of their 32 bits', () => {
  for (const value of logits(0.1, 1 / 3, 16777217, -2.5e-30))
    expect(Math.fround(shortest(value))).toBe(value);
});
