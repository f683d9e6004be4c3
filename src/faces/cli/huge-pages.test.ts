import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { hugePageEnvironment, isLongPrediction } from './huge-pages.ts';

const ASKED = 'always [madvise] never\n';

it('asks for huge pages if Linux gives them on request', () => {
  expect(hugePageEnvironment({ HOME: '/home' }, ASKED)).toEqual({
    HOME: '/home',
    GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
  });
});

it('keeps other tunables', () => {
  const environment = hugePageEnvironment({ GLIBC_TUNABLES: 'glibc.malloc.arena_max=2' }, ASKED);
  expect(environment?.GLIBC_TUNABLES).toBe('glibc.malloc.arena_max=2:glibc.malloc.hugetlb=1');
});

it.each([
  ['they are for everybody', {}, '[always] madvise never\n'],
  ['they are for nobody', {}, 'always madvise [never]\n'],
  ['there are none', {}, ''],
  ['it has been done', { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' }, ASKED],
  ['the user has said no', { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' }, ASKED],
])('changes nothing if %s', (_, environment, setting) => {
  expect(hugePageEnvironment(environment, setting)).toBeUndefined();
});

const root = newFolder();

it('a restart is worth while for predictions of many rows', () => {
  const [few, many] = ['few.tsv', 'many.tsv'].map((name) => join(root, name)) as [string, string];
  writeFileSync(few, 'text\n');
  writeFileSync(many, 'text\n'.repeat(20_000));
  const words = [[root, many], [root], [root, 'a'.repeat(5000)], [root, 'a text'], [root, few]];
  expect(words.map(isLongPrediction)).toEqual([true, true, false, false, false]);
});
