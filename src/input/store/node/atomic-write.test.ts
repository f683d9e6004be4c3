import { readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { atomicWrite } from './atomic-write.ts';

describe('atomicWrite', () => {
  let folder: string;
  beforeEach(() => {
    folder = newFolder();
  });

  it('writes strings, bytes and chunks, and creates parent folders', () => {
    const path = join(folder, 'a/b/file');
    atomicWrite(path, 'é');
    expect(readFileSync(path, 'utf8')).toBe('é');
    atomicWrite(path, new Uint8Array([1, 2]));
    expect([...readFileSync(path)]).toEqual([1, 2]);
    atomicWrite(path, [new Uint8Array([3]), new Uint8Array(0), new Uint8Array([4, 5])]);
    expect([...readFileSync(path)]).toEqual([3, 4, 5]);
    expect(readdirSync(join(folder, 'a/b'))).toEqual(['file']);
  });

  it('keeps the old content and leaves no temporary file if the source fails half way', () => {
    const path = join(folder, 'file');
    atomicWrite(path, 'old');
    function* failing() {
      yield new Uint8Array(10);
      throw new Error('half way');
    }
    expect(() => atomicWrite(path, failing())).toThrow('half way');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('does not replace a folder or a device', () => {
    symlinkSync('/dev/null', join(folder, 'device'));
    // Linux's /dev/stdout is such a link, if it is redirected to a file.
    symlinkSync(`/proc/self/exe`, join(folder, 'open'));
    for (const path of ['', folder, join(folder, 'device'), join(folder, 'open')])
      expect(() => atomicWrite(path, 'x')).toThrow(/ is a folder or a device\. Pass the name of a file\.$/);
    expect(readdirSync(folder).sort()).toEqual(['device', 'open']);
    expect(readlinkSync(join(folder, 'device'))).toBe('/dev/null');
  });

  it('reports a parent folder that is a broken link', () => {
    symlinkSync(join(folder, 'gone'), join(folder, 'link'));
    expect(() => atomicWrite(join(folder, 'link/file'), 'x')).toThrow(
      /link is a link to nothing, so no folder can be made\.$/,
    );
  });
});
