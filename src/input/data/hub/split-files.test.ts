import { describe, expect, it } from 'vitest';
import { datasetCard, listSubsets, splitFiles } from './resolve-dataset.ts';

const CARD = datasetCard(`---
license: other
dataset_info:
- config_name: cola
  features:
  - name: sentence
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': unacceptable
          '1': acceptable
- config_name: ax
  features: []
configs:
- config_name: cola
  data_files:
  - split: train
    path: cola/train-*
  - split: test
    path: [cola/test-*, "more/**/t?st-[0-9].{csv,tsv}"]
- config_name: ax
  data_files: ax/*.parquet
---
# GLUE
`);
const find = (present: string[], subset: string | undefined, split: string, card = CARD) =>
  splitFiles(present, card, { dataset: 'nyu-mll/glue', subset, split });

describe('by the card', () => {
  it('finds only the files that match patterns', () => {
    const present = ['cola/train-00000-of-00001.parquet', 'cola/train/x.parquet', 'colax/train-1.parquet'];
    expect(find(present, 'cola', 'train')).toEqual(['cola/train-00000-of-00001.parquet']);
    const tests = ['cola/test-a.csv', 'more/a/b/test-1.tsv', 'more/tast-2.csv', 'more/test-x.csv'];
    expect(find(tests, 'cola', 'test')).toEqual([
      'cola/test-a.csv',
      'more/a/b/test-1.tsv',
      'more/tast-2.csv',
    ]);
    expect(find(['ax/a.parquet', 'ax/b/c.parquet'], 'ax', 'train')).toEqual(['ax/a.parquet']);
  });

  it('lists the existing subsets and splits', () => {
    expect(() => find([], 'cloa', 'train')).toThrow('a subset of nyu-mll/glue (cola, ax), got "cloa"');
    expect(() => find([], undefined, 'train')).toThrow('a subset of nyu-mll/glue (cola, ax), got nothing');
    expect(() => find([], 'cola', 'dev')).toThrow('has no split "dev". Its splits are train, test.');
  });

  it('reads class names', () => {
    expect(CARD.classes('cola')).toEqual({ label: ['unacceptable', 'acceptable'] });
    expect(CARD.classes('ax')).toEqual({});
  });
});

describe('by names', () => {
  const none = datasetCard('# no front matter');

  it.each([
    ['cola/train-00000-of-00001.parquet', 'cola'],
    ['data/cola/train.jsonl.gz', 'cola'],
    ['cola/train/0000.parquet', 'cola'],
    ['data/train-00000-of-00001-abc.parquet', undefined],
    ['default/train/0000.parquet', undefined],
    ['train.csv', undefined],
  ])('%s', (path, subset) => {
    expect(find([path, 'training.txt', 'x/train.md', 'cola/test.csv'], subset, 'train', none)).toEqual([
      path,
    ]);
  });

  it('needs every part', () => {
    const parts = ['train-00000-of-00002.parquet', 'train-00001-of-00002.parquet'];
    expect(find(parts, undefined, 'train', none)).toEqual(parts);
    expect(find(parts.slice(1), undefined, 'train', none)).toBeUndefined();
  });

  it('lists subsets', () => {
    expect(listSubsets(['cola/train-0.csv', 'sst2/train.csv', 'train.csv'], 'train')).toEqual([
      'cola',
      'sst2',
    ]);
  });
});

it('ignores a damaged card', () => {
  expect(datasetCard('---\n[: {\n---').subsets).toEqual([]);
  expect(datasetCard('---\nconfigs: 3\ndataset_info: [1, null]\n---').subsets).toEqual([]);
});

it('matches patterns with many wildcards, and rejects those that take too many steps', () => {
  const card = (pattern: string) =>
    datasetCard(`---\nconfigs:\n- config_name: x\n  data_files: "${pattern}"\n---`);
  const path = 'a'.repeat(60);
  expect(find([path], undefined, 'train', card('*a'.repeat(30)))).toEqual([path]);
  expect(find([path], undefined, 'train', card(`${'*a'.repeat(30)}b`))).toBeUndefined();
  const many = Array<string>(10_000).fill(path);
  expect(() => find(many, undefined, 'train', card(`${'*a'.repeat(1000)}b`))).toThrow(
    'README.md has file patterns that need too much work',
  );
});
