import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesInMemory } from '../../../tests/support/files-in-memory.ts';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { wholeFile } from './byte-source.ts';
import { openFile } from './files.ts';
import { folderFiles } from './node/folder-files.ts';

const folder = newFolder();

describe.each([
  ['a disk', () => folderFiles(join(folder, 'run'))],
  ['memory', filesInMemory],
])('a folder on %s', (_, open) => {
  const text = (files: ReturnType<typeof open>, name: string) =>
    new TextDecoder().decode(wholeFile(openFile(files, name, 'a file'), 100));

  it('has what was written and not removed', async () => {
    const run = open();
    const inner = run.within('inner');
    expect([run.list(), inner.list(), run.has('a'), await run.open('a')]).toEqual([[], [], false, undefined]);
    run.write('a', 'one');
    run.append('a', ' two');
    run.append('b', 'three');
    inner.write('c', [Uint8Array.of(52), Uint8Array.of(53)]);
    expect([text(run, 'a'), text(run, 'b'), text(inner, 'c')]).toEqual(['one two', 'three', '45']);
    expect([...run.list()].sort()).toEqual(['a', 'b', 'inner']);
    expect(inner.path('c').endsWith(join('inner', 'c'))).toBe(true);
    const source = await inner.open('c');
    expect([source?.size, await source?.read(1, 2)]).toEqual([2, Uint8Array.of(53)]);
    run.write('a', 'four');
    expect(text(run, 'a')).toBe('four');
    for (const name of ['b', 'inner', 'missing']) run.remove(name);
    expect([run.list(), run.has('inner')]).toEqual([['a'], false]);
    expect(() => openFile(run, 'b', 'a log')).toThrow(/b does not exist; it should be a log\./);
    expect(() => wholeFile(openFile(run, 'a', 'a file'), 3)).toThrow(
      'a has 4 bytes, more than the maximum of 3.',
    );
  });
});
