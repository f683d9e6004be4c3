import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAdapter } from './support/adapter-folder.ts';
import { comparableLog } from './support/comparable-log.ts';
import { eventsOf, UNSCORED, Workspace } from './support/workspace.ts';

/* Methods whose ranks change: their runs survive a kill byte for byte, and their adapters train on. */

/** Settings with which ranks change before and after the kill. A name may end with a note after a comma. */
const METHODS = {
  increlora:
    '{init_r: 1, target_r: 3, top_h: 12, incre_rank_num: 1, lora_alpha: 16, scale: rslora, tinit: 2, tfinal: 2}',
  adadora: '{target_r: 2, init_r: 4, lora_alpha: 16, tinit: 2, tfinal: 2, deltaT: 3}',
  elalora: '{r: 3, b: 2, schedule: constant, lora_alpha: 16, tinit: 2, tfinal: 2, deltaT: 3}',
  flexlora: '{r: 3, b: 2, schedule: constant, lora_alpha: 16, tinit: 2, tfinal: 2, deltaT: 3}',
  igulora: '{target_r: 2, init_r: 4, lora_alpha: 16, tinit: 2, tfinal: 2, deltaT: 3}',
  'increlora, released':
    '{init_r: 1, target_r: 3, top_h: 9, incre_rank_num: 2, lora_alpha: 16, tinit: 2, tfinal: 2, last_round: whole, score_batches: last}',
};

/** The method whose runs also evaluate. */
const SCORED = 'increlora';

let workspace: Workspace;
beforeAll(() => {
  workspace = new Workspace();
});
afterAll(() => workspace.remove());

const settingsOf = (name: keyof typeof METHODS) => [
  ...[`method=${name.split(',')[0]}`, `${name.split(',')[0]}=${METHODS[name]}`],
  ...['training.max_steps=12', 'training.save_steps=3', 'training.logging_steps=2'],
  'training.gradient_accumulation_steps=2',
  // One of them evaluates between two changes of its ranks.
  ...(name === SCORED ? [] : [UNSCORED]),
];

describe.each(Object.keys(METHODS) as (keyof typeof METHODS)[])('%s', (method) => {
  it('resumes byte for byte after a kill between two changes of its ranks', async () => {
    const whole = `whole-${method}`;
    expect(await workspace.train(...settingsOf(method), `output=${whole}`)).toMatchObject({
      code: 0,
      stderr: '',
    });
    const allocations = eventsOf(workspace.events(whole), 'allocation');
    expect(allocations.length).toBeGreaterThan(1);
    // The last one is final, and no other.
    expect(allocations.map(({ final }) => final)).toEqual(
      allocations.map((_, i) => i === allocations.length - 1),
    );

    const killed = `killed-${method}`;
    const args = ['train', 'run.yaml', ...settingsOf(method).flatMap((one) => ['--set', one])];
    args.push('--set', `output=${killed}`);
    await workspace.killAt({ type: 'step', step: 6 }, args);
    expect(await workspace.run(...args, '--resume')).toMatchObject({ code: 0 });
    for (const file of ['adapter_model.safetensors', 'adapter_config.json'])
      expect(workspace.read(killed, 'adapter', file).equals(workspace.read(whole, 'adapter', file))).toBe(
        true,
      );
    expect(comparableLog(workspace, killed)).toEqual(comparableLog(workspace, whole));
  });

  it.skipIf(method === 'adadora' || method.includes(','))(
    'continues from its adapter, at its ranks',
    async () => {
      const [from, on] = [`whole-${method}`, `on-${method}`];
      const settings = [`method=${method}`, `adapter=${from}`, 'training.learning_rate=1e-30', UNSCORED];
      expect(await workspace.train(...settings, 'training.max_steps=1', `output=${on}`)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('ranks do not change'),
      });
      const [before, after] = await Promise.all(
        [from, on].map((run) => readAdapter(workspace.path(run, 'adapter'))),
      );
      expect(after!.tensors).toEqual(before!.tensors);
      expect(after!.config).toEqual(before!.config);
    },
  );

  it.runIf(['increlora', 'adadora'].includes(method))(
    'answers as its adapter over integer weights',
    async () => {
      const output = `int8-${method}`;
      const settings = [...settingsOf(method), 'base_dtype=int8', `output=${output}`];
      expect(await workspace.train(...settings)).toMatchObject({ code: 0 });
      const { accuracy } = JSON.parse((await workspace.run('eval', output, 'dev.tsv', '--json')).stdout);
      expect(eventsOf(workspace.events(output), 'finish')[0]!.metrics.accuracy).toBe(accuracy);
    },
  );
});
