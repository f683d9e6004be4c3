import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesInMemory } from '../../../tests/support/files-in-memory.ts';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { bytesAsSource, sourceDigest } from './byte-source.ts';
import { type FolderFiles, fileChunks, isBelow, openFile, readText } from './files.ts';
import { folderFiles } from './node/folder-files.ts';

const root = newFolder();

describe.each<[string, () => FolderFiles]>([
  ['on a disk', () => folderFiles(mkdtempSync(join(root, 'folder-')))],
  ['in memory', () => filesInMemory(new Map(), 'folder/')],
])('a folder %s', (_, make) => {
  it('has files, folders and their states', () => {
    const folder = make();
    folder.write('a/b.txt', 'text');
    expect(folder.list()).toEqual(['a']);
    expect([...folder.listAll()].filter((name) => name.endsWith('.txt'))).toEqual(['a/b.txt']);
    expect(folder.stat('a')).toMatchObject({ kind: 'folder', isLink: false });
    expect(folder.stat('a/b.txt')).toMatchObject({ kind: 'file', size: 4, isLink: false });
    expect([folder.stat('c'), folder.has('c'), folder.has('a')]).toEqual([undefined, false, true]);
    expect(folder.within('a').list()).toEqual(['b.txt']);
  });

  it('reads files whole and in parts, and names them by their content', async () => {
    const folder = make();
    folder.write('a', 'content');
    expect(readText(folder, 'a', 'a text')).toBe('content');
    const part = [...fileChunks(folder, 'a', { begin: 3, end: 5 })].map((bytes) => [...bytes]);
    expect(part).toEqual([[...new TextEncoder().encode('te')]]);
    expect(folder.digest('a')).toBe(
      await sourceDigest(bytesAsSource(new TextEncoder().encode('content'), 'a')),
    );
    expect(() => openFile(folder, 'b', 'a text')).toThrow('does not exist; it should be a text');
    expect(folder.missing('b', 'a text')).toMatchObject({ code: 'not_found' });
  });

  it('publishes only intact files', () => {
    const folder = make();
    const publish = (content: string) => {
      const file = folder.newFile('blobs/a');
      try {
        file.write(new TextEncoder().encode(content));
        return file.publish((name) => readText(folder, name, 'a text') === 'whole');
      } finally {
        file.discard();
      }
    };
    expect([publish('part'), folder.has('blobs/a')]).toEqual([false, false]);
    expect([publish('whole'), folder.within('blobs').list()]).toEqual([true, ['a']]);
    folder.link('links/a', 'blobs/a');
    expect(readText(folder, 'links/a', 'a text')).toBe('whole');
  });

  it('removes a scratch folder after its use', async () => {
    const folder = make();
    const used = await folder.inScratchFolder('scratch', async (scratch) => {
      scratch.write('a', 'b');
      return readText(scratch, 'a', 'a text');
    });
    expect([used, folder.list()]).toEqual(['b', []]);
  });
});

it('a link has the state of its target, and leads out of a folder', () => {
  const disk = folderFiles(root);
  disk.write('outside', 'secret');
  disk.write('inside/own', 'own');
  symlinkSync(join(root, 'outside'), join(root, 'inside/link'));
  expect(disk.stat('inside/link')).toMatchObject({ kind: 'file', size: 6, isLink: true });
  const home = disk.realPath('inside');
  const isInside = (name: string) => isBelow(disk.realPath(name), home);
  expect(['inside/own', 'inside/link', 'inside'].map(isInside)).toEqual([true, false, false]);
  expect(readFileSync(join(home, 'link'), 'utf8')).toBe('secret');
});

it('a link in a circle stands for itself', () => {
  const disk = folderFiles(root);
  symlinkSync('circle', join(root, 'circle'));
  expect(disk.stat('circle')).toMatchObject({ kind: 'other', isLink: true });
});

it('on a whole disk, a parent after a link is that of its target, and an empty path is nothing', () => {
  const disk = folderFiles('');
  disk.write(join(root, 'far/deep/own'), 'x');
  disk.write(join(root, 'far/beside'), 'far');
  disk.write(join(root, 'beside'), 'near, with more');
  symlinkSync(join(root, 'far/deep'), join(root, 'near'));
  const path = `${root}/near/../beside`;
  expect(readText(disk, path, 'a text')).toBe('far');
  expect(disk.stat(path)).toMatchObject({ size: 3 });
  expect(disk.digest(path)).toBe(disk.digest(join(root, 'far/beside')));
  expect([disk.has(''), disk.stat('')]).toEqual([false, undefined]);
});

it.each([
  ['/a/b', '/a', true],
  ['/a', '/a', false],
  ['/ab/c', '/a', false],
  ['/a\\b', '/a', false],
  ['/a', '/', true],
  ['C:\\a\\b', 'C:\\a', true],
  ['C:\\a\\b', 'C:\\', true],
  ['C:\\ab', 'C:\\a', false],
])('%s is below %s: %s', (path, folder, expected) => expect(isBelow(path, folder)).toBe(expected));
