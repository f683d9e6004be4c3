import { existsSync, readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { newWorkspace, succeeds } from './support/commands.ts';

/* Two rows on one task of a tiny model: a grid each, two seeds. */

const COMPARISON = `title: LoRA against AdaLoRA
model: model
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32}
training: {max_steps: 8, per_device_train_batch_size: 16, eval_strategy: steps, eval_steps: 2, load_best_model_at_end: true}
rows:
  LoRA: {method: lora, lora.r: 2}
  AdaLoRA:
    method: adalora
    adalora: {target_r: 2, init_r: 4, tinit: 1, tfinal: 3, deltaT: 1}
    grid: {training.learning_rate: [1e-2, 2e-2]}
grid: {training.learning_rate: [1e-6, 1e-2, 2e-2]}
seeds: 2
held_out: 0.25
halving: [50%]
compared_with: LoRA
output: out
`;

const workspace = newWorkspace();
beforeAll(() => {
  workspace.write('compare.yaml', COMPARISON);
});

const runs = (row: string, ...of: string[]) =>
  readdirSync(workspace.path('out', 'runs', 'run', row, ...of)).sort();
/** A table without values that differ between runs: time and memory. */
const results = () => {
  const table = JSON.parse(workspace.read('out', 'table.json').toString());
  return JSON.stringify(table, (key, value) => (/seconds|memoryMb/.test(key) ? undefined : value));
};

describe('compare', () => {
  it('tunes each row, then trains the best choice with every seed, one shard at a time', async () => {
    await succeeds(workspace.run('compare', 'compare.yaml', '--shard', '1/2'));
    expect(runs('lora')).toEqual(['seed-0', 'seed-1', 'tuning']);
    expect(existsSync(workspace.path('out', 'runs', 'run', 'adalora'))).toBe(false);
    // Two of three continue after half of the run.
    const steps = runs('lora', 'tuning').map(
      (run) => workspace.events(`out/runs/run/lora/tuning/${run}`).at(-1)?.step,
    );
    expect(steps.sort()).toEqual([4, 8, 8]);
    await succeeds(workspace.run('compare', 'compare.yaml', '--shard', '2/2'));
    const { tasks } = JSON.parse(workspace.read('out', 'table.json').toString());
    expect(
      tasks[0].rows.map(({ row, runs, tried }: never) => [row, (runs as []).length, (tried as []).length]),
    ).toEqual([
      ['LoRA', 2, 3],
      ['AdaLoRA', 2, 2],
    ]);
    expect(tasks[0].tests).toMatchObject([{ first: 'LoRA', second: 'AdaLoRA' }]);
    for (const name of ['table.md', 'report.html'])
      expect(existsSync(workspace.path('out', name)), name).toBe(true);
    // Tuning runs never see the validation set; compared runs do.
    const config = (...path: string[]) =>
      workspace.read('out', 'runs', 'run', 'lora', ...path, 'config.yaml').toString();
    expect(config('tuning', 'learning_rate=0.02')).not.toContain('dev.tsv');
    expect(config('seed-0')).toContain('dev.tsv');
    expect(config('seed-0')).toContain(`learning_rate: ${tasks[0].rows[0].choice['training.learning_rate']}`);
  });

  it('gives the same table wherever it was interrupted', async () => {
    const before = results();
    // As after a kill: its log ends in the middle, and the next run has not started.
    const log = workspace
      .read('out', 'runs', 'run', 'lora', 'seed-1', 'metrics.jsonl')
      .toString()
      .split('\n');
    workspace.write('out/runs/run/lora/seed-1/metrics.jsonl', log.slice(0, 3).join('\n'));
    workspace.delete('out/runs/run/lora/seed-1/checkpoints');
    workspace.delete('out/runs/run/adalora/seed-1');
    workspace.delete('out/runs/run/adalora/tuning/learning_rate=0.02');
    await succeeds(workspace.run('compare', 'compare.yaml', '--resume'));
    expect(results()).toBe(before);
  });

  it('continues a run that was interrupted after its first stage', async () => {
    const before = results();
    // As after a kill near the end of the second stage: the newest checkpoint is later than `stop_at_step` of the first.
    const names = runs('lora', 'tuning').map((run) => `out/runs/run/lora/tuning/${run}/metrics.jsonl`);
    for (const name of names) {
      const lines = workspace.read(name).toString().trim().split('\n');
      if (JSON.parse(lines.at(-1) as string).step === 8)
        workspace.write(name, `${lines.slice(0, -1).join('\n')}\n`);
    }
    await succeeds(workspace.run('compare', 'compare.yaml', '--resume'));
    expect(results()).toBe(before);
  });
});
