import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LOCK_FILE, lockFolder } from './run-lock.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  path = join(folder, LOCK_FILE);
});
afterEach(() => rmSync(folder, { recursive: true }));

it('is held by one, also within a process, until it is given free', () => {
  const release = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(`process ${process.pid} on "${hostname()}" holds`);
  release();
  expect(existsSync(path)).toBe(false);
  lockFolder(folder)();
  expect(readdirSync(folder)).toEqual([]);
});

const gone = () => spawnSync(process.execPath, ['-e', '']).pid;
const own = () => {
  const release = lockFolder(folder);
  const holder = JSON.parse(readFileSync(path, 'utf8'));
  release();
  return holder;
};

it.each<[string, () => object]>([
  ['of a process that is no more', () => ({ ...own(), pid: gone() })],
  // On Linux alone a process's start is known.
  ['of an earlier process of that number', () => ({ ...own(), started: 'another time' })],
])('%s is taken over', (_, holder) => {
  writeFileSync(path, JSON.stringify(holder()));
  lockFolder(folder)();
  expect(readdirSync(folder)).toEqual([]);
});

it('of another machine is not, and its name is shown harmlessly', () => {
  writeFileSync(path, JSON.stringify({ ...own(), pid: gone(), host: 'far\u001b[2J' }));
  expect(() => lockFolder(folder)).toThrow('on "far\\u001b[2J" holds');
});

it('that is empty is being written, or was when its process was killed long ago', () => {
  writeFileSync(path, '');
  expect(() => lockFolder(folder)).toThrow('another process holds');
  utimesSync(path, 1, 1);
  lockFolder(folder)();
});
