import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hugePageEnvironment } from '../src/cli/huge-pages/huge-page-environment.ts';
import { Workspace } from './support/workspace.ts';

const ASKS = hugePageEnvironment({}) !== undefined;

describe.skipIf(!ASKS)(`huge pages${ASKS ? '' : ' (Linux does not give them for asking here)'}`, () => {
  let workspace: Workspace;
  beforeAll(() => {
    workspace = new Workspace();
  });
  afterAll(() => workspace.remove());

  const firstStep = ({ stdout }: ChildProcess) =>
    new Promise<void>((done) => stdout!.on('data', (text) => text.includes('step ') && done()));
  const variables = ({ pid }: ChildProcess) => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');

  it('are asked for by the same process, which takes signals and gives its exit code as ever', async () => {
    const args = ['train', 'run.yaml', '--set', 'training.max_steps=20000'];
    const { process: child, ended } = workspace.start(args);
    await firstStep(child);
    expect(variables(child)).toContain('GLIBC_TUNABLES=glibc.malloc.hugetlb=1');
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
  });

  it('are left alone for those who say so', async () => {
    const env = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' };
    const { process: child, ended } = workspace.start(['train', 'run.yaml', '--set', 'output=small'], {
      env,
    });
    await firstStep(child);
    expect(variables(child)).toContain('GLIBC_TUNABLES=glibc.malloc.hugetlb=0');
    expect((await ended).code).toBe(0);
  });
});
