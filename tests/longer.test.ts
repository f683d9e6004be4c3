import { expect, it } from 'vitest';
import { newWorkspace, succeeds } from './support/commands.ts';
import { eventsOf } from './support/workspace.ts';

const workspace = newWorkspace();

it('a run resumed with more steps continues to them, with its planned ranks', async () => {
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
  expect(stdout).toContain('note: The run continues to step 18. Ranks stay as planned');
  expect(ranks()).toEqual(before);
  const steps = eventsOf(workspace.events('run'), 'step');
  expect(steps.at(-1)).toMatchObject({ step: 18 });
  // The learning rate before step 16 with linear decay to step 18.
  expect(steps.find(({ step }) => step === 16)!.learning_rate).toBeCloseTo((2e-2 * 3) / 18, 10);

  const shorter = await train(15, '--resume');
  expect(shorter.code).toBe(2);
  expect(shorter.stderr).toContain('gives 15 steps, but the newest checkpoint is at step 18');
  const other = await train(20, '--resume', '--set', 'training.weight_decay=0.5');
  expect(other.code).toBe(2);
  expect(other.stderr).toContain('training.weight_decay is 0.5 (was');
});

it('a killed longer run resumes with its own config.yaml, to the same end', async () => {
  const settings = (output: string, steps: number) =>
    [`output=${output}`, `training.max_steps=${steps}`, 'training.save_steps=3', 'adalora.tfinal=4'].flatMap(
      (setting) => ['--set', setting],
    );
  const train = (output: string, steps: number) => [
    'train',
    'run.yaml',
    ...settings(output, steps),
    '--resume',
  ];
  for (const output of ['whole', 'killed']) await succeeds(workspace.run(...train(output, 9)));
  await succeeds(workspace.run(...train('whole', 15)));
  await workspace.killAt({ type: 'step', step: 12 }, train('killed', 15));
  expect(workspace.read('killed', 'config.yaml').toString()).toContain('max_steps: 15');

  const own = ['train', 'killed/config.yaml', '--resume'];
  await succeeds(workspace.run(...own));
  const adapter = (output: string) => workspace.read(output, 'adapter', 'adapter_model.safetensors');
  expect(adapter('killed').equals(adapter('whole'))).toBe(true);
  const again = await workspace.run(...own);
  expect(again.stdout).toContain('is already finished');
});
