import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { newFolder } from '../../../../tests/support/new-folder.ts';
import { LOCK_FILE } from '../../../input/store/node/folder-lock.ts';
import { lockRun } from './machine.ts';

it('locks a run for a process that ends with its experiment, and names the experiment', () => {
  const folder = newFolder();
  vi.stubEnv('ADALORA_PARENT', '4321');
  const unlock = lockRun(folder);
  vi.unstubAllEnvs();
  const lock = JSON.parse(readFileSync(join(folder, LOCK_FILE), 'utf8'));
  expect(lock).toMatchObject({ pid: process.pid, launcher: 4321 });
  unlock();
});
