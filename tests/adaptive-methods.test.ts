import { describe, expect, it } from 'vitest';
import { readAdapter } from './support/adapter-folder.ts';
import { newWorkspace, succeeds } from './support/commands.ts';
import { resumesAfterKill, SHORT } from './support/resumes-after-kill.ts';
import { eventsOf, UNSCORED } from './support/workspace.ts';

/* Methods whose ranks change: their runs survive a kill byte for byte, and their adapters train on. */

/** Settings with which ranks change before and after the kill. */
const METHODS = {
  adadora: '{target_r: 2, init_r: 4, lora_alpha: 16, tinit: 2, tfinal: 2, deltaT: 3}',
  elalora: '{r: 3, b: 2, schedule: constant, lora_alpha: 16, tinit: 2, tfinal: 2, deltaT: 3}',
  igulora: '{target_r: 2, init_r: 4, lora_alpha: 16, tinit: 2, tfinal: 2, deltaT: 3}',
};

/** The method whose runs also evaluate. */
const SCORED = 'adadora';

const workspace = newWorkspace();

const settingsOf = (name: keyof typeof METHODS) => [
  ...[`method=${name}`, `${name}=${METHODS[name]}`, ...SHORT],
  // One of them evaluates between two changes of its ranks.
  ...(name === SCORED ? [] : [UNSCORED]),
];

describe.each(Object.keys(METHODS) as (keyof typeof METHODS)[])('%s', (method) => {
  it('resumes byte for byte after a kill between two changes of its ranks', async () => {
    const allocations = await resumesAfterKill(workspace, method, settingsOf(method));
    expect(allocations.length).toBeGreaterThan(1);
    // The last one is final, and no other.
    expect(allocations.map(({ final }) => final)).toEqual(
      allocations.map((_, i) => i === allocations.length - 1),
    );
  });

  it.skipIf(method === 'adadora')('continues from its adapter, at its ranks', async () => {
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
  });

  it.runIf(method === 'adadora')('answers as its adapter over integer weights', async () => {
    const output = `int8-${method}`;
    const settings = [...settingsOf(method), 'base_dtype=int8', `output=${output}`];
    await succeeds(workspace.train(...settings));
    const { accuracy } = JSON.parse((await workspace.run('eval', output, 'dev.tsv', '--json')).stdout);
    expect(eventsOf(workspace.events(output), 'finish')[0]!.metrics.accuracy).toBe(accuracy);
  });
});
