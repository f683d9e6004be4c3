import { spawn, spawnSync } from 'node:child_process';
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
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Kind, startWriter, whyNot } from '../../../../tests/support/writers.ts';
import { assertLocked, LOCK_FILE, lockFolder, startHeartbeat, unlockFolder } from './folder-lock.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  path = join(folder, LOCK_FILE);
});
afterEach(() => {
  for (const path of [folder, `${folder}-mounted`]) rmSync(path, { recursive: true, force: true });
});

it('is held by one, also within a process, until it is released', () => {
  const release = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(`is in use by process ${process.pid} on "${hostname()}"`);
  release();
  expect(existsSync(path)).toBe(false);
  lockFolder(folder)();
  expect(readdirSync(folder)).toEqual([]);
});

const gone = () => spawnSync(process.execPath, ['-e', '']).pid;
const ownHolder = () => {
  const release = lockFolder(folder);
  const holder = JSON.parse(readFileSync(path, 'utf8'));
  release();
  return holder;
};

it.each<[string, () => object]>([
  ['of a process that is no more', () => ({ ...ownHolder(), pid: gone() })],
  // Only Linux provides a process's start time.
  ['of an earlier process of that number', () => ({ ...ownHolder(), started: 'another time' })],
])('%s is taken over', (_, holder) => {
  writeFileSync(path, JSON.stringify(holder()));
  lockFolder(folder)();
  expect(readdirSync(folder)).toEqual([]);
});

it.skipIf(process.platform !== 'linux')(
  'of a process that has ended is taken over, though its parent has not collected it',
  async () => {
    // The shell's child ends. The shell has become `sleep`, which never collects it, so it remains a zombie.
    const shell = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 100']);
    try {
      const pid = Number(await new Promise((said) => shell.stdout.once('data', said)));
      await vi.waitUntil(() => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '), 60_000);
      writeFileSync(path, JSON.stringify({ ...ownHolder(), pid, started: undefined }));
      lockFolder(folder)();
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      shell.kill('SIGKILL');
    }
  },
);

it.skipIf(process.platform !== 'linux')(
  'a lock of a process whose launcher has ended is waited for',
  async () => {
    const ending = spawn('sleep', ['0.5']);
    // Node collects its child only when this thread no longer blocks.
    writeFileSync(
      path,
      JSON.stringify({ ...ownHolder(), pid: ending.pid, started: undefined, launcher: gone() }),
    );
    lockFolder(folder)();
    expect(readdirSync(folder)).toEqual([]);
  },
);

it('a lock of a process with a running launcher is not taken over', () => {
  const launcher = process.ppid;
  writeFileSync(path, JSON.stringify({ ...ownHolder(), launcher }));
  expect(() => lockFolder(folder)).toThrow(`process ${process.pid} on`);
});

it('a lock of another machine is observed, and its name is escaped', async () => {
  const far = JSON.stringify({ ...ownHolder(), host: 'far\u001b[2J' });
  writeFileSync(path, far);
  const stop = startHeartbeat(path, far, 20);
  expect(() => lockFolder(folder)).toThrow('on "far\\u001b[2J"');
  stop();
});

const HOLD = `
const { lockFolder } = await built('input/store/node/folder-lock.js');
lockFolder(folder, { beatMs: 20 });
print('held');
setInterval(() => {}, 1000);`;

it.for<Kind>(['thread', 'process', 'container', 'host'])(
  'of a live %s is not taken over, and that of a dead one is',
  async (kind, { skip }) => {
    skip(whyNot(kind) !== undefined, whyNot(kind));
    const holder = startWriter(kind, folder, HOLD);
    expect(await holder.line()).toBe('held');
    const { thread } = JSON.parse(readFileSync(path, 'utf8'));
    const waits: string[] = [];
    const onWait = (message: string) => waits.push(message);
    expect(() => lockFolder(folder, { onWait })).toThrow('process');
    await holder.kill();
    // If a training thread is killed, its parent unlocks the folder.
    if (kind === 'thread') unlockFolder(folder, thread);
    lockFolder(folder, { onWait, silentMs: 200, watchedMs: 200 })();
    expect(readdirSync(folder)).toEqual([]);
    const isElsewhere = kind === 'container' || kind === 'host';
    expect(waits).toHaveLength(isElsewhere ? 2 : 0);
    if (isElsewhere)
      expect(waits[0]).toContain('If it gives no sign of life for 120 s, this run takes over.');
  },
);

it('a lock that was taken over is noticed by its first holder', () => {
  const release = lockFolder(folder);
  assertLocked(folder);
  writeFileSync(path, readFileSync(path, 'utf8').replace(hostname(), 'another'));
  expect(() => assertLocked(folder)).toThrow('on "another"');
  release();
  expect(existsSync(path)).toBe(true);
});

it('a lock that is empty is being written, or its writer was killed long ago', () => {
  writeFileSync(path, '');
  expect(() => lockFolder(folder)).toThrow('is in use by another process');
  utimesSync(path, 1, 1);
  lockFolder(folder)();
});
