import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hugePageEnvironment } from '../src/faces/cli/huge-pages.ts';
import { newWorkspace } from './support/commands.ts';

const ASKS = hugePageEnvironment({}) !== undefined;

describe.skipIf(!ASKS)(`huge pages${ASKS ? '' : ' (Linux does not give them for asking here)'}`, () => {
  const workspace = newWorkspace();

  /** The environment of a run, which is then ended like with Ctrl-C. */
  async function variablesOf(output: string, env = { GLIBC_TUNABLES: '' }): Promise<string[]> {
    // Too long to end by itself.
    const settings = [`output=${output}`, 'training.max_steps=20000'].flatMap((one) => ['--set', one]);
    const { process: child, ended } = workspace.start(['train', 'run.yaml', ...settings], { env });
    await new Promise<void>((done) => child.stdout!.on('data', (text) => text.includes('step ') && done()));
    const variables = readFileSync(`/proc/${child.pid}/environ`, 'utf8').split('\0');
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    return variables;
  }

  it('are requested by the same process, which handles signals and exit codes as before', async () => {
    expect(await variablesOf('asked')).toContain('GLIBC_TUNABLES=glibc.malloc.hugetlb=1');
  });

  it('are left alone if the user has set the variable', async () => {
    const own = 'glibc.malloc.hugetlb=0';
    expect(await variablesOf('own', { GLIBC_TUNABLES: own })).toContain(`GLIBC_TUNABLES=${own}`);
  });
});
