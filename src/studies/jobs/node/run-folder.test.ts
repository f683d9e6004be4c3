import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { LOCK_FILE } from '../../../input/store/node/folder-lock.ts';
import { lockRun } from './machine.ts';

it('locks a run for a process that ends with its experiment, and names the experiment', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-'));
  vi.stubEnv('ADALORA_PARENT', '4321');
  const unlock = lockRun(folder);
  vi.unstubAllEnvs();
  const lock = JSON.parse(readFileSync(join(folder, LOCK_FILE), 'utf8'));
  expect(lock).toMatchObject({ pid: process.pid, launcher: 4321 });
  unlock();
  rmSync(folder, { recursive: true });
});
