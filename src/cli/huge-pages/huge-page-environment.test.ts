import { expect, it } from 'vitest';
import { hugePageEnvironment } from './huge-page-environment.ts';

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
