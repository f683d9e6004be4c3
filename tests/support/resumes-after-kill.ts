import { expect } from 'vitest';
import { comparableLog } from './comparable-log.ts';
import { eventsOf, type Workspace } from './workspace.ts';

/** Short runs with a checkpoint after every third of 12 steps. */
export const SHORT = [
  ...['training.max_steps=12', 'training.save_steps=3', 'training.logging_steps=2'],
  'training.gradient_accumulation_steps=2',
];

/**
 * Trains a whole run and one that is killed at step 6 and resumed, and expects equal adapters and logs.
 *
 * @param name a part of the names of both runs, `whole-NAME` and `killed-NAME`
 * @returns the events of its allocations
 */
export async function resumesAfterKill(workspace: Workspace, name: string, settings: readonly string[]) {
  const [whole, killed] = [`whole-${name}`, `killed-${name}`];
  expect(await workspace.train(...settings, `output=${whole}`)).toMatchObject({ code: 0, stderr: '' });
  const args = ['train', 'run.yaml', ...[...settings, `output=${killed}`].flatMap((one) => ['--set', one])];
  await workspace.killAt({ type: 'step', step: 6 }, args);
  expect(await workspace.run(...args, '--resume')).toMatchObject({ code: 0 });
  for (const file of ['adapter_model.safetensors', 'adapter_config.json'])
    expect(workspace.read(killed, 'adapter', file).equals(workspace.read(whole, 'adapter', file))).toBe(true);
  expect(comparableLog(workspace, killed)).toEqual(comparableLog(workspace, whole));
  return eventsOf(workspace.events(whole), 'allocation');
}
