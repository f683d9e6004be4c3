import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventsOf, Workspace } from './support/workspace.ts';

let workspace: Workspace;
beforeAll(() => {
  workspace = new Workspace();
});
afterAll(() => workspace.remove());

it('a run that is resumed with more steps goes on to them, with the ranks that it was planned with', async () => {
  const args = (steps: number) =>
    ['training.max_steps', 'adalora.tfinal'].flatMap((key, i) => ['--set', `${key}=${[steps, 4][i]}`]);
  const train = (steps: number, ...more: string[]) =>
    workspace.run('train', 'run.yaml', ...args(steps), ...more);
  expect(await train(12)).toMatchObject({ code: 0 });
  const ranks = () => eventsOf(workspace.events('run'), 'finish').at(-1)!.ranks;
  const before = ranks();

  const { code, stdout } = await train(18, '--resume');
  expect(code).toBe(0);
  expect(stdout).toContain('continues after step 12');
  expect(stdout).toContain('note: the run goes on to step 18; ranks stay as planned');
  expect(ranks()).toEqual(before);
  const steps = eventsOf(workspace.events('run'), 'step');
  expect(steps.at(-1)).toMatchObject({ step: 18 });
  // What the linear decay to step 18 leaves of it before step 16.
  expect(steps.find(({ step }) => step === 16)!.learning_rate).toBeCloseTo((2e-2 * 3) / 18, 10);

  const shorter = await train(15, '--resume');
  expect(shorter.code).toBe(2);
  expect(shorter.stderr).toContain('training.max_steps 15 (there 12)');
  const other = await train(20, '--resume', '--set', 'training.weight_decay=0.5');
  expect(other.code).toBe(2);
  expect(other.stderr).toContain('training.weight_decay 0.5 (there');
});
