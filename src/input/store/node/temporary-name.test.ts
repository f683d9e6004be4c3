import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { newLink } from './links.ts';
import { placeKey } from './owner.ts';
import { inUse, isTemporary, removeStale, temporaryName } from './temporary-name.ts';

let folder: string;
beforeEach(() => {
  folder = newFolder();
});

/** Creates the temporary file of another process. */
function left(name: string, pid: number, place = placeKey()): string {
  const file = basename(temporaryName(name))
    .replace(new RegExp(`-${process.pid}-\\d+-`), `-${pid}-0-`)
    .replace(placeKey(), place);
  writeFileSync(join(folder, file), 'x');
  return file;
}

it('is different each time', () => {
  const names = Array.from({ length: 100 }, () => temporaryName('file'));
  expect(new Set(names).size).toBe(100);
  expect(names.every(isTemporary)).toBe(true);
  expect(isTemporary('.file.12-0.tmp')).toBe(false);
});

it('fits a long name, and is recognized', () => {
  const name = 'é'.repeat(120);
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  expect(Buffer.byteLength(left(name, dead))).toBeLessThan(255);
  removeStale(folder);
  expect(readdirSync(folder)).toEqual([]);
});

it('is removed if its owner has ended, or is elsewhere and has not written for a day', () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const elsewhere = '0'.repeat(16);
  left('file', dead);
  const old = left('file', dead, elsewhere);
  utimesSync(join(folder, old), 1, 1);
  // Our own process left the first file by a failed write, and is still writing the second.
  left('file', process.pid);
  const ours = left('file', process.pid);
  inUse.add(join(folder, ours));
  const kept = [
    ours,
    left('file', process.ppid),
    // In another container, a process may have this number.
    left('file', dead, elsewhere),
  ];
  left('another', dead);
  // A folder goes with its files.
  const emptied = left('file', dead);
  rmSync(join(folder, emptied));
  mkdirSync(join(folder, emptied));
  writeFileSync(join(folder, emptied, 'model'), 'x');
  removeStale(folder);
  expect(readdirSync(folder).sort()).toEqual(kept.sort());
});

it('is removed by the next link in its folder', () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  left('link', dead);
  writeFileSync(join(folder, 'file'), 'x');
  newLink(join(folder, 'link'), join(folder, 'file'));
  expect(readdirSync(folder).sort()).toEqual(['file', 'link']);
});
