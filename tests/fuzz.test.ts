import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { KINDS } from '../scripts/fuzz/kinds.ts';
import { tryMutation } from '../scripts/fuzz/try-mutation.ts';
import { writeSamples } from '../scripts/fuzz/write-samples.ts';
import { newFolder } from './support/new-folder.ts';

/** The fixed part of `npm run fuzz`. */
const COUNT = 60;
const FEW = 8;

const folder = newFolder();
beforeAll(() => {
  writeSamples(folder);
});

it.each(KINDS)('$name: intact it is read, changed it gives a value or a message', async (kind) => {
  await kind.read(join(folder, kind.file), folder);
  const ends: (Awaited<ReturnType<typeof tryMutation>> & { index: number })[] = [];
  for (let index = 0; index < (kind.isSlow ? FEW : COUNT); index++)
    ends.push({ index, ...(await tryMutation(kind, folder, 1, index)) });
  expect(ends.filter(({ outcome }) => outcome === 'stack' || outcome === 'other')).toEqual([]);
  expect(kind.isLenient || ends.some(({ outcome }) => outcome === 'refused')).toBe(true);
});
