import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readRows } from '../../../tests/support/read-rows.ts';
import type { DataOptions, RawLabel } from '../../input/data/rows.ts';
import { alikeLabels, buildLabels } from '../classes/labels.ts';
import { regression } from '../regression/definition.ts';
import type { LabelOrigin } from '../task-definition.ts';
import { classTargets, labelSetTargets, scoreTargets } from './label-kind.ts';

const glue = '../shared/data/glue';

const cola: DataOptions = { text: 3, label: 1 };
const rte: DataOptions = { text: 'sentence1', text_pair: 'sentence2', label: 'label' };
const mrpc: DataOptions = { text: '#1 String', text_pair: '#2 String', label: 'Quality' };
const stsb: DataOptions = { text: 5, text_pair: 6, label: 4 };
const sst2: DataOptions = { text: 'sentence', label: 'label' };
const qnli: DataOptions = { text: 'question', text_pair: 'sentence', label: 'label' };
const mnli: DataOptions = { text: 'premise', text_pair: 'hypothesis', label: 'label' };

const YES_NO = ['0', '1'];
const ENTAILMENT = ['entailment', 'not_entailment'];

describe.skipIf(!existsSync(glue))('GLUE files', () => {
  it.each([
    ['CoLA/train.tsv', cola, 8551, YES_NO],
    ['CoLA/dev.tsv', cola, 1043, YES_NO],
    ['RTE/train.tsv', rte, 2490, ENTAILMENT],
    ['RTE/dev.tsv', rte, 277, ENTAILMENT],
    ['MRPC/train.tsv', mrpc, 3668, YES_NO],
    ['MRPC/dev.tsv', mrpc, 408, YES_NO],
    ['STS-B/sts-train.csv', stsb, 5749, []],
    ['STS-B/sts-dev.csv', stsb, 1500, []],
    ['SST-2/train.tsv', sst2, 67349, YES_NO],
    ['SST-2/dev.tsv', sst2, 872, YES_NO],
    ['QNLI/dev.tsv', qnli, 5463, ENTAILMENT],
    ['MNLI/dev_matched.jsonl', mnli, 9815, ['contradiction', 'entailment', 'neutral']],
  ] as [string, DataOptions, number, string[]][])('%s', (file, options, count, names) => {
    const rows = readRows(`${glue}/${file}`, options);
    expect(rows.length).toBe(count);
    const labels = names.length === 0 ? [] : buildLabels(rows, 2, file);
    expect(labels).toEqual(names);
    const toTargets = names.length === 0 ? scoreTargets : classTargets;
    const targets = toTargets(rows, labels, file);
    expect(targets.length).toBe(count);
    const most = names.length === 0 ? 5 : names.length - 1;
    expect([Math.min(...targets), Math.max(...targets)]).toEqual([0, most]);
  });

  it('keeps double quotes, and rows of 9 columns', () => {
    const first = readRows(`${glue}/MRPC/train.tsv`, mrpc)[0]!;
    expect(first.textPair).toMatch(/^Referring to him as only "the witness", Amrozi/);
    const wide = readRows(`${glue}/STS-B/sts-train.csv`, stsb)[5552];
    expect(wide).toEqual({
      line: 5553,
      text: 'Driver backs into stroller with child, drives off',
      textPair: 'Driver backs into mom, stroller with child then drives off',
      label: '4',
    });
  });
});

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
    const scores = { rows: rows('0.5', '1'), fileName: 'x.tsv', skipped: [] };
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

  it.each(['high', 'NaN', 'Infinity', '1e39', '0x10', '1,500', ''])('reject the score "%s"', (score) => {
    expect(() => scoreTargets(rows('1', score), [], 'x.tsv')).toThrow(
      `x.tsv:2 has the label "${score}", which is not a finite number.`,
    );
  });
});

it('labels that differ only in case or spaces are remarked', () => {
  expect(alikeLabels(['NaN', 'neg'])).toEqual([
    'The label "NaN" is a class. If it stands for a missing label, empty these fields.',
  ]);
  expect(alikeLabels(['B', 'a', 'A', 'a b', 'a  B', 'c', 'c'])).toEqual([
    'The labels "a", "A" differ only in case or spaces. They are different classes.',
    'The labels "a b", "a  B" differ only in case or spaces. They are different classes.',
  ]);
});
