import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { newWorkspace, refuses, succeeds } from './support/commands.ts';
import { eventsOf } from './support/workspace.ts';

/* Four short runs of a tiny model. One fails. */

const SWEEP = `model: model
defaults: huggingface
method: lora
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32}
training: {max_steps: 20, per_device_train_batch_size: 16}
grid: {training.learning_rate: [1e-6, 2e-2]}
seeds: 2
held_out: 0.25
output: sweep
`;

const workspace = newWorkspace();
beforeAll(() => {
  workspace.write('sweep.yaml', SWEEP);
});

const RATES = ['learning_rate-0.000001', 'learning_rate-0.02'];
/** Finished runs, by rate and seed. */
const finished = () =>
  RATES.flatMap((rate) => {
    const folder = workspace.path('sweep/runs/run', rate);
    return existsSync(folder) ? readdirSync(folder).map((seed) => `${rate}/${seed}`) : [];
  }).sort();

describe('a comparison of a grid', () => {
  it('plans its runs without a folder', async () => {
    const { code, stdout } = await workspace.run('compare', 'sweep.yaml', '--plan');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^run, learning_rate=0\.000001: 2 runs\nrun, learning_rate=0\.02: 2 runs\n4 runs\n/,
      ),
    });
    const lines = await workspace.run('compare', 'sweep.yaml', '--plan', '--json');
    expect(
      lines.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).settings),
    ).toEqual([{ 'training.learning_rate': 1e-6 }, { 'training.learning_rate': 0.02 }]);
    expect(existsSync(workspace.path('sweep'))).toBe(false);
  });

  it('runs a shard, and reports what is missing', async () => {
    const { code, stdout } = await workspace.run('compare', 'sweep.yaml', '--shard', '1/2');
    expect(code).toBe(0);
    expect(finished()).toEqual([`${RATES[0]}/seed-0`, `${RATES[0]}/seed-1`]);
    expect(stdout).toContain(
      'Best by accuracy on held-out training rows so far (2 of 4 runs are not finished): training.learning_rate 0.000001\n',
    );
  });

  it('rejects the folder without --resume', async () => {
    await refuses(workspace.run('compare', 'sweep.yaml'), 'sweep');
  });

  it('continues with the rest, lists failures, and then repeats only those', async () => {
    // A file without a run blocks its folder.
    mkdirSync(workspace.path('sweep/runs/run/learning_rate-0.02'));
    workspace.write('sweep/runs/run/learning_rate-0.02/seed-1', 'a file');
    const failed = await workspace.run('compare', 'sweep.yaml', '--resume');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/^run\/learning_rate-0\.02\/seed-1 failed:\s.*is a file/m);
    const tables = () => ['table.md', 'table.json'].map((name) => workspace.read('sweep', name).toString());
    for (const table of tables()) expect(table).toMatch(/learning_rate-0\.02\/seed-1.*is a file/s);
    // The other rate, with both of its runs.
    expect(failed.stdout).toMatch(
      /^- Best by accuracy .* so far \(1 of 4 runs are not finished\): training\.learning_rate 0\.000001$/m,
    );
    workspace.delete('sweep/runs/run/learning_rate-0.02/seed-1');
    const { code, stdout } = await workspace.run('compare', 'sweep.yaml', '--resume');
    expect(code).toBe(0);
    expect(stdout).not.toContain('seed-0');
    expect(finished()).toHaveLength(4);
    for (const table of tables()) expect(table).not.toContain('expected a folder');
  });

  it('writes the table, the report, and the chosen config on all training rows', async () => {
    const table = workspace.read('sweep', 'table.md').toString();
    expect(table).toMatch(/^\| learning_rate=0\.000001 \| 2 \| \d+\.\d\d ± /m);
    expect(table).toMatch(/^\| learning_rate=0\.000001 – learning_rate=0\.02 \| −\d/m);
    expect(table).toContain('- Best by accuracy on held-out training rows: training.learning_rate 0.02\n');
    expect(table).toContain('- Scored on held-out training rows (25%)\n');
    expect(existsSync(workspace.path('sweep', 'report.html'))).toBe(true);
    const best = workspace.read('sweep', 'best.yaml').toString();
    expect(best).toContain('learning_rate: 0.02');
    expect(best).toMatch(/train: train\.tsv\n\s+validation: dev\.tsv/);
    const ofRun = workspace.read('sweep/runs/run/learning_rate-0.02/seed-0/config.yaml').toString();
    // Not the validation set, which may be the test set.
    expect(ofRun).not.toContain('dev.tsv');
    const { train_examples, eval_examples } = eventsOf(
      workspace.events('sweep/runs/run/learning_rate-0.02/seed-0'),
      'start',
    )[0]!;
    expect(train_examples + eval_examples).toBe(160);
    // A quarter of the different texts, with their copies.
    expect(Math.abs(eval_examples - 40)).toBeLessThanOrEqual(5);
  });

  it('does not skip finished runs with other settings, data or shares of them', async () => {
    const said = async (...settings: string[]) => {
      const words = settings.flatMap((setting) => ['--set', setting]);
      const { code, stderr } = await workspace.run('compare', 'sweep.yaml', '--resume', ...words);
      expect(code).toBe(2);
      return stderr;
    };
    const place = 'output: sweep/runs/run/learning_rate-0.000001/seed-0 holds a run with other';
    expect(await said('training.weight_decay=0.5')).toMatch(
      new RegExp(`^${place} settings: training\\.weight_decay is 0\\.5 \\(was 0\\)\\. Resume with`),
    );
    const table = workspace.read('sweep', 'table.json').toString();
    const other = /^output: .* holds a run with other content in the data files or /;
    expect(await said('held_out=0.5')).toContain('data.validation is "50%" (was "25%")');
    const rows = workspace.read('train.tsv').toString();
    workspace.write('train.tsv', `${rows}${rows.trimEnd().split('\n').at(-1)}\n`);
    expect(await said()).toMatch(other);
    workspace.write('train.tsv', rows);
    workspace.delete('sweep/runs/run/learning_rate-0.000001/seed-0/checkpoints');
    expect(await said('training.weight_decay=0.5')).toMatch(new RegExp(`^${place}`));
    await succeeds(workspace.run('compare', 'sweep.yaml', '--resume'));
    expect(workspace.read('sweep', 'table.json').toString()).toBe(table);
  });

  it('ignores what a library prints on the standard output of its runs', async () => {
    workspace.write('printing.mjs', 'console.log("a library says hello");');
    const words = ['compare', 'sweep.yaml', '--set', 'output=printing', '--shard', '1/4'];
    const env = { NODE_OPTIONS: `--import ${workspace.path('printing.mjs')}` };
    const { code, stdout, stderr } = await workspace.start(words, { env }).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('a library says hello\n');
    expect(stdout).toContain(
      'Best by accuracy on held-out training rows so far (3 of 4 runs are not finished)',
    );
  });

  it('ends its run when it is killed, and continues it', async () => {
    // The first of the four runs alone.
    const words = ['compare', 'sweep.yaml', '--set', 'output=killed', '--shard', '1/4'];
    const killed = workspace.start(words, { halts: [{ type: 'step' }] });
    const run = ['runs', 'run', 'learning_rate-0.000001', 'seed-0'];
    const hasStepped = () => workspace.events(join('killed', ...run)).some(({ type }) => type === 'step');
    const log = workspace.path('killed', ...run, 'metrics.jsonl');
    await vi.waitUntil(() => existsSync(log) && hasStepped(), { timeout: 600_000, interval: 50 });
    killed.process.kill('SIGKILL');
    await killed.ended;
    await succeeds(workspace.run(...words, '--resume'));
    const files = ['README.md', 'adapter/adapter_model.safetensors'];
    const [card, weights] = files.map((file) => workspace.read('killed', ...run, file).toString('latin1'));
    const [ofSweep, others] = files.map((file) =>
      workspace.read('sweep', ...run, file).toString('latin1'),
    ) as [string, string];
    expect(card).toBe(ofSweep.replaceAll('sweep/', 'killed/'));
    expect(weights).toBe(others);
  });
});
