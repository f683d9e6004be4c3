import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readRows } from '../../../tests/support/read-rows.ts';
import type { DataOptions } from '../../input/data/rows.ts';
import { buildLabels } from '../classes/labels.ts';
import { classTargets, scoreTargets } from './to-targets.ts';

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
