import { describe, expect, it } from 'vitest';
import type { RawLabel } from '../../input/data/rows.ts';
import { alikeLabels, buildLabels } from '../classes/labels.ts';
import { regression } from '../regression/definition.ts';
import type { LabelOrigin } from '../task-definition.ts';
import { classTargets, labelSetTargets, scoreTargets } from './to-targets.ts';

const rows = (...labels: RawLabel[]) => labels.map((label, at) => ({ line: at + 1, text: '', label }));

describe('labels', () => {
  const names = (labels: RawLabel[], known?: Record<number, string>, least = 2) =>
    buildLabels(rows(...labels), least, 'x.tsv', known);

  it('sorts numbers by value and names by code point', () => {
    expect(names(['10', '9', '-1', '9'])).toEqual(['-1', '9', '10']);
    expect(names(['b', 'a', 'B', '\u{1f600}', '\uff5e', '10', '9'])).toEqual([
      '10',
      '9',
      'B',
      'a',
      'b',
      '\uff5e',
      '\u{1f600}',
    ]);
    expect(names([['b', 'a'], [], ['c']], undefined, 1)).toEqual(['a', 'b', 'c']);
    // Numbers are not classes, even if the model lists classes.
    const scores = { rows: rows('0.5', '1'), fileName: 'x.tsv' };
    expect(regression.classes?.labels(scores, {} as LabelOrigin)).toEqual([]);
  });

  it("uses the checkpoint's order if it contains them all", () => {
    expect(names(['neg', 'pos'], { 0: 'pos', 1: 'neg', 2: 'other' })).toEqual(['pos', 'neg', 'other']);
    expect(names(['neg', 'pos'], { 0: 'pos', 1: 'other' })).toEqual(['neg', 'pos']);
    expect(names(['neg', 'pos'], { 1: 'pos', 2: 'neg' })).toEqual(['neg', 'pos']);
    expect(names(['LABEL_1', 'LABEL_0'], { 0: 'LABEL_1', 1: 'LABEL_0' })).toEqual(['LABEL_0', 'LABEL_1']);
  });

  it('rejects a single class', () => {
    expect(() => names(['1', '1'])).toThrow('x.tsv needs at least 2 different labels, got only "1".');
    expect(() => names([[]], undefined, 1)).toThrow('at least 1 different labels, got none.');
  });
});

describe('targets', () => {
  it('are ids, sets or scores', () => {
    const labels = ['a', 'b', 'c'];
    expect(classTargets(rows('c', 'a'), labels, 'x')).toEqual(Int32Array.of(2, 0));
    expect(labelSetTargets(rows(['c', 'a'], []), labels, 'x')).toEqual(Float32Array.of(1, 0, 1, 0, 0, 0));
    expect(scoreTargets(rows('5.000', '-1e-3', '.5'), [], 'x')).toEqual(Float32Array.of(5, -1e-3, 0.5));
  });

  it.each([
    ['classes', classTargets, rows('positve', 'negative', 'x')],
    ['sets', labelSetTargets, rows(['positve'], ['negative'], ['negative', 'x'])],
  ])('report unknown labels: %s', (_, toTargets, unseen) => {
    expect(() => toTargets(unseen, ['positive', 'negative'], 'dev.tsv')).toThrow(
      'dev.tsv:1 has the label "positve", which was not seen in training. Did you mean positive? The same in 2 rows: lines 1, 3.',
    );
  });

  it.each(['high', 'NaN', 'Infinity', '1e39', '0x10', '1,5', ''])('reject the score "%s"', (score) => {
    expect(() => scoreTargets(rows('1', score), [], 'x.tsv')).toThrow(
      `x.tsv:2 has the label "${score}", which is not a finite number.`,
    );
  });
});

it('labels that differ only in case or spaces are remarked', () => {
  expect(alikeLabels(['B', 'a', 'A', 'a b', 'a  B', 'c', 'c'])).toEqual([
    'The labels "a", "A" differ only in case or spaces. They are different classes.',
    'The labels "a b", "a  B" differ only in case or spaces. They are different classes.',
  ]);
});
