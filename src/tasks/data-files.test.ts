import { expect, it } from 'vitest';
import { scorePrefixes, validationProblems, validationSets } from './data-files.ts';

it('names sets by their keys, or by their files', () => {
  expect(validationSets(undefined)).toEqual([]);
  expect(validationSets('data/dev.tsv')).toEqual([{ name: 'dev', path: 'data/dev.tsv' }]);
  const files = ['MNLI/dev_matched.tsv.gz', 'MNLI/dev_mismatched.tsv'];
  expect(validationSets(files).map(({ name }) => name)).toEqual(['dev_matched', 'dev_mismatched']);
  expect(validationSets({ matched: 'a.tsv' })).toEqual([{ name: 'matched', path: 'a.tsv' }]);
});

it('distinguishes several sets in the names of scores', () => {
  expect(scorePrefixes(undefined)).toEqual(['']);
  expect(scorePrefixes({ matched: 'a' })).toEqual(['']);
  expect(scorePrefixes({ matched: 'a', mismatched: 'b' })).toEqual(['matched_', 'mismatched_']);
});

it('rejects duplicate names, other characters and sections without files', () => {
  const faults = (validation: Parameters<typeof validationProblems>[0]) =>
    validationProblems(validation).map((problem) => 'fault' in problem && problem.fault);
  expect(faults(['a/dev.tsv', 'b/dev.tsv'])).toEqual(['has two sets named "dev"']);
  expect(faults({ 'a b': 'x', c: 'y' })).toEqual(['has a set named "a b"']);
  expect(faults({})).toEqual(['names no file']);
  expect(faults({ a: 'x', b: 'y' })).toEqual([]);
});
