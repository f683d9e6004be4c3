import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { newFolder } from '../../../tests/support/new-folder.ts';
import { contentDigest } from './content-digest.ts';
import { disk, folderFiles } from './node/folder-files.ts';

const root = newFolder();

it('depends on the content, not on name and time', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => join(root, name)) as [string, string, string];
  writeFileSync(a, 'weights 1');
  writeFileSync(b, 'weights 1');
  writeFileSync(c, 'weights 2');
  for (const path of [a, c]) utimesSync(path, 1, 1);
  expect(disk.digest(b)).toBe(disk.digest(a));
  expect(disk.digest(c)).not.toBe(disk.digest(a));
});

it('covers all bytes of more than 128 MB', () => {
  const path = join(root, 'huge.bin');
  writeFileSync(path, '');
  truncateSync(path, 2 ** 27 + 3); // a sparse file: no data is written
  const before = disk.digest(path);
  const fd = openSync(path, 'r+');
  writeSync(fd, Uint8Array.of(1), 0, 1, 100_000_001);
  closeSync(fd);
  expect(disk.digest(path)).not.toBe(before);
});

describe('of a large file', () => {
  const path = join(root, 'large.bin');
  const cache = join(root, 'cache');
  const size = 2 ** 22 + 3;
  const digestOf = () => contentDigest(disk, path, folderFiles(cache), 2 ** 16);
  const write = (at: number, byte: number) => {
    const fd = openSync(path, 'r+');
    writeSync(fd, Uint8Array.of(byte), 0, 1, at);
    closeSync(fd);
  };
  const remembered = () => (existsSync(join(cache, 'digests')) ? readdirSync(join(cache, 'digests')) : []);
  // Some file systems record only whole seconds. So a digest is cached only when the file is some seconds
  // old.
  const later = () => vi.spyOn(Date, 'now').mockReturnValue(statSync(path).ctimeMs + 60_000);
  beforeAll(() => {
    writeFileSync(path, '');
    truncateSync(path, size); // a sparse file: no data is written
  });
  afterEach(() => void vi.restoreAllMocks());

  it('detects a changed byte anywhere, also with the old modification time', () => {
    const { atime, mtime } = statSync(path);
    const digest = () => {
      later();
      const first = digestOf();
      expect(digestOf()).toBe(first);
      return first;
    };
    const seen = new Set([digest()]);
    for (const at of [5000, 4_000_001]) {
      write(at, 1);
      utimesSync(path, atime, mtime);
      seen.add(digest());
    }
    expect(seen.size).toBe(3);
    expect(remembered()).toHaveLength(3);
  });

  it('is only cached for an unchanged file, and a cached value must be a digest', () => {
    rmSync(cache, { recursive: true });
    write(0, 2);
    const digest = digestOf();
    expect(remembered()).toEqual([]);
    later();
    digestOf();
    const [name] = remembered();
    const place = join(cache, 'digests', name!);
    writeFileSync(place, 'f'.repeat(64));
    expect(digestOf()).toBe('f'.repeat(64));
    writeFileSync(place, 'f'.repeat(63));
    expect(digestOf()).toBe(digest);
  });
});
