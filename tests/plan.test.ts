import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlannedBase } from '../src/studies/jobs/plan/plan.ts';
import { Workspace } from './support/workspace.ts';

let workspace: Workspace;
beforeAll(() => {
  workspace = new Workspace();
});
afterAll(() => workspace.remove());

/** `adalora plan run.yaml --measure` with more arguments. */
const measuring = (...words: string[]) =>
  workspace.start(['plan', 'run.yaml', '--measure', ...words], {
    env: { ADALORA_CACHE: workspace.path('bases') },
  });

const FIGURES = [
  ...['peakMb', 'steps', 'msPerStep', 'examplesPerSecond', 'tokensPerSecond'],
  ...['evalExamplesPerSecond', 'runSeconds'],
];

/** Processes whose parent is `pid`. */
function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number) : [];
}

describe('plan --measure', () => {
  it('measures each type of the base, and leaves nothing but the bases in their cache', async () => {
    const { code, stdout, stderr } = await measuring('--json').ended;
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: [
        'measuring float32',
        ...['int8', 'int4'].flatMap((dtype) => [
          `measuring ${dtype}`,
          `the ${dtype} base model is cached for runs`,
        ]),
        '',
      ].join('\n'),
    });
    const { bases } = JSON.parse(stdout) as { bases: PlannedBase[] };
    expect(bases.map(({ dtype }) => dtype)).toEqual(['float32', 'int8', 'int4']);
    for (const { measured, failure } of bases) {
      expect(failure).toBeUndefined();
      expect(Object.keys(measured!)).toEqual(FIGURES);
      for (const figure of Object.values(measured!)) {
        expect(figure).toBeGreaterThan(0);
        expect(figure).toBeLessThan(Infinity);
      }
    }
    const made = ['bases', 'dev.tsv', 'model', 'run.yaml', 'train.tsv'];
    expect(readdirSync(workspace.folder).filter((name) => name !== 'cache')).toEqual(made);
    expect(readdirSync(workspace.path('bases'))).toHaveLength(2);
  });

  it('reports a failure in its row', async () => {
    const folder = new Workspace();
    truncateSync(folder.path('model', 'model.safetensors'), 100);
    const { code, stdout } = await folder.start(['plan', 'run.yaml', '--measure', '--set', 'method=full'])
      .ended;
    folder.remove();
    expect(code).toBe(1);
    expect(stdout).toMatch(/^float32 +\d+ MB +failed +\(this config\)\nfloat32: .*model\.safetensors.*$/m);
  });

  it.skipIf(process.platform !== 'linux')('ends its process on a signal (checked on Linux)', async () => {
    const { process: parent, ended } = measuring();
    let children: number[] = [];
    while (children.length === 0 && parent.exitCode === null) {
      await setTimeout(20);
      children = childrenOf(parent.pid!);
    }
    parent.kill('SIGINT');
    const { code, stdout } = await ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(children).toHaveLength(1);
    expect(existsSync(`/proc/${children[0]}`)).toBe(false);
  });
});
