import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { newWorkspace, refuses, succeeds } from './support/commands.ts';

/* The checkpoints of a run that was ended early. */

const workspace = newWorkspace();
beforeAll(async () => {
  const settings = [
    'training.max_steps=24',
    'training.save_steps=8',
    'training.save_total_limit=9',
    'adalora.tfinal=8',
    'adalora.tinit=4',
  ];
  await succeeds(workspace.train(...settings));
  await succeeds(workspace.train(...settings, 'output=early', 'training.stop_at_step=8'));
  workspace.write(
    'early/metrics.jsonl',
    workspace.read('early', 'metrics.jsonl').toString().split('\n').slice(0, 3).join('\n'),
  );
  workspace.delete('early/adapter');
});

const PATH = 'run/checkpoints/checkpoint-8.safetensors';
const scores = async (...args: string[]) => {
  const { code, stdout, stderr } = await workspace.run('eval', ...args, 'dev.tsv', '--json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  // Only a run has a verdict.
  const { verdict: _, ...scores } = JSON.parse(stdout) as Record<string, number>;
  return scores;
};

describe('a checkpoint', { timeout: 240_000 }, () => {
  it("of the last step equals the run's result", async () => {
    expect(await scores('run', '--checkpoint', '24')).toEqual(await scores('run'));
    const [own, kept] = ['run/adapter', 'run/checkpoints/checkpoint-24/adapter'].map((folder) =>
      workspace.read(folder, 'adapter_model.safetensors'),
    ) as [Buffer, Buffer];
    expect(kept.equals(own)).toBe(true);
  });

  it('of an earlier step can be evaluated, by its file or its step, also for an unfinished run', async () => {
    const early = await scores(PATH);
    expect(early).toEqual(await scores('run', '--checkpoint', '8'));
    expect(early.eval_loss).not.toBe((await scores('run')).eval_loss);
    expect(await scores('early', '--checkpoint', '8')).toEqual(early);
  });

  it('predicts, is inspected, exported and merged', async () => {
    await succeeds(workspace.run('predict', PATH, 'dev.tsv'));
    const { stdout } = await workspace.run('inspect', PATH, '--json');
    // Before the pattern is final, the adapter has every triplet.
    expect(JSON.parse(stdout)).toMatchObject({ average_rank: 4 });
    expect(
      await workspace.run('export', 'run', '--checkpoint', '8', '--as', 'lora', '-o', 'plain'),
    ).toMatchObject({ code: 0 });
    await succeeds(workspace.run('export', PATH, '--as', 'merged', '-o', 'merged'));
    for (const file of ['plain/adapter_model.safetensors', 'merged/model.safetensors'])
      expect(existsSync(workspace.path(file)), file).toBe(true);
  });

  it.each([
    [['run', '--checkpoint', '7'], 'names step 7, but run only has steps'],
    [['model', '--checkpoint', '7'], 'names step 7, but model has no checkpoints'],
    [[PATH, '--checkpoint', '7'], 'checkpoint-8.safetensors is step 8.'],
    [['run/checkpoints/checkpoint-5.safetensors'], 'checkpoint-5.safetensors'],
  ])('%j is rejected', async (args, message) => {
    await refuses(workspace.run('eval', ...args, 'dev.tsv'), message);
  });
});
