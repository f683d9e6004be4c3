import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hugePageEnvironment } from '../src/cli/huge-pages/huge-page-environment.ts';
import { Workspace } from './support/workspace.ts';

const ASKS = hugePageEnvironment({}) !== undefined;

describe.skipIf(!ASKS)(
  `huge pages (${ASKS ? 'asked for' : 'Linux does not give them for asking here'})`,
  () => {
    let workspace: Workspace;
    beforeAll(() => {
      workspace = new Workspace();
    });
    afterAll(() => workspace.remove());

    it('are asked for by the same process, which takes signals and gives its exit code as ever', async () => {
      const { process: child, ended } = workspace.start([
        'train',
        'run.yaml',
        '--set',
        'training.max_steps=20000',
      ]);
      const variables = () => readFileSync(`/proc/${child.pid}/environ`, 'utf8').split('\0');
      while (!variables().includes('GLIBC_TUNABLES=glibc.malloc.hugetlb=1')) await setTimeout(10);
      const trains = new Promise((done) => child.stdout!.once('data', done));
      await trains;
      expect(readFileSync(`/proc/${child.pid}/smaps_rollup`, 'utf8')).toMatch(/AnonHugePages: +[1-9]/);
      child.kill('SIGINT');
      expect((await ended).code).toBe(130);
    });

    it('are left alone for those who say so', async () => {
      const { process: child, ended } = workspace.start(['train', 'run.yaml', '--set', 'output=small'], {
        env: { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' },
      });
      await new Promise((done) => child.stdout!.once('data', done));
      expect(readFileSync(`/proc/${child.pid}/smaps_rollup`, 'utf8')).toMatch(/AnonHugePages: +0 kB/);
      expect((await ended).code).toBe(0);
    });
  },
);
