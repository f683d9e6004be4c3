import { existsSync, mkdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { jsonLines, newWorkspace, refuses, set } from './support/commands.ts';
import { tinyRows } from './support/tiny-data.ts';

/* A table of the paper on a tiny model and rows in CoLA's format. */

const SETTINGS = [
  ...[
    'training.max_steps=6',
    'training.eval_steps=3',
    'training.warmup_steps=0',
    'training.learning_rate=1e-2',
  ],
  ...['adalora.tinit=1', 'adalora.tfinal=2', 'adalora.deltaT=1', 'data.max_length=32'],
];
const ROWS = ['--only', 'lora', '--only', 'adalora', '--only', '0.16%', '--set', 'seeds=2'];
const ARGUMENTS = [
  ...['compare', 'table1', '--model', 'model', '--set', 'data_folder=sets', '-o', 'table'],
  ...[...ROWS, ...set(SETTINGS)],
];

const workspace = newWorkspace();
beforeAll(() => {
  mkdirSync(workspace.path('sets', 'glue', 'CoLA'), { recursive: true });
  const lines = (count: number, seed: number) =>
    tinyRows(count, seed).map(({ text, label }) => `made\t${label === 'good' ? 1 : 0}\t\t${text}\n`);
  workspace.write('sets/glue/CoLA/train.tsv', lines(120, 1).join(''));
  workspace.write('sets/glue/CoLA/dev.tsv', lines(40, 2).join(''));
});

const runs = () =>
  ['lora-rank-2', 'adalora-rank-2'].flatMap((row) =>
    [0, 1]
      .map((seed) => `table/runs/glue/cola/${row}/seed-${seed}`)
      .filter((run) => existsSync(workspace.path(run))),
  );

describe('a table of the paper', { timeout: 240_000 }, () => {
  it("plans every cell with the paper's numbers, without model or data", async () => {
    const { code, stdout } = await workspace.run('compare', 'table4', '--plan', '--json');
    const lines = jsonLines(stdout);
    expect(code).toBe(0);
    expect(lines).toHaveLength(36);
    expect(lines[0]).toEqual({
      row: 'prune-LoRA 0.08%',
      task: 'glue/sst2',
      settings: { method: 'prune_lora', 'prune_lora.target': '72 doublets', 'prune_lora.init_r': 2 },
      paper: { accuracy: 94.84 },
    });
  });

  it('prints the runs before they start, and what is omitted', async () => {
    const { code, stdout, stderr } = await workspace.run(...ARGUMENTS, '--set', 'seeds=1', '--plan');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^glue\/cola, LoRA rank 2: 1 run$/m);
    expect(stdout).toMatch(/^2 runs$/m);
    expect(stderr).toMatch(/^Skipping glue\/qqp: sets\/glue\/QQP\/train\.tsv, .* is missing\.$/m);
    expect(runs()).toEqual([]);
  });

  it('runs a shard, then the other, and writes the table of finished runs', async () => {
    expect(await workspace.run(...ARGUMENTS, '--resume', '--shard', '1/2')).toMatchObject({ code: 0 });
    expect(runs()).toEqual([0, 1].map((seed) => `table/runs/glue/cola/lora-rank-2/seed-${seed}`));
    const half = workspace.read('table', 'table.md').toString();
    expect(half).toMatch(/^\| LoRA rank 2 \| 2 \|/m);
    expect(half).not.toContain('| AdaLoRA rank 2 | 2 |');
    expect(half).toContain('- AdaLoRA rank 2: 0 of 2 runs are finished.');

    const { code, stdout } = await workspace.run(...ARGUMENTS, '--resume', '--shard', '2/2');
    expect(code).toBe(0);
    const table = workspace.read('table', 'table.md').toString();
    expect(stdout).toContain(table);
    const results = JSON.parse(workspace.read('table', 'table.json').toString());
    const { tasks, versions, seeds, about } = results;
    expect(tasks).toMatchObject([{ task: 'glue/cola', model: 'model', rows: [{ row: 'LoRA rank 2' }, {}] }]);
    expect(Object.keys(versions)).toEqual(['adalora', 'ONNX Runtime', 'Node']);
    expect(seeds).toEqual([0, 1]);
    expect(tasks[0].common).toMatchObject({ 'training.max_steps': 6, 'data.max_length': 32 });
    expect(Object.keys(tasks[0].common)).not.toContain('method');
    expect(about[0]).toContain('training.max_steps 6');
    // The table itself names them, and model, settings and steps of its rows.
    expect(table).toMatch(/^- adalora \d+\.\d+\.\d+.*, ONNX Runtime \d+\.\d+\.\d+.*, Node \d+/m);
    expect(table).toContain('\n- Each row: seeds 0, 1\n');
    expect(table).toMatch(
      /^All rows: 6 steps, batch size 32, learning rate 0\.01, linear schedule, warm-up for 6 % of the steps, weight decay 0, max_length 32\.$/m,
    );
    expect(table).toMatch(/^.+ with model\. /m);
    expect(table).toMatch(/^- LoRA rank 2: .*lora\.r 2.*; 6 steps$/m);
    const [lora, adaLora] = tasks[0].rows;
    expect(adaLora.runs.map(({ seed }: { seed: number }) => seed)).toEqual([0, 1]);
    // On another model, the paper's number has no meaning.
    expect(adaLora.scores.matthews_correlation.paper).toBeUndefined();
    expect(table).not.toContain('70.04');
    // One rule for both: the evaluations from the step of AdaLoRA's final allocation on.
    expect(tasks[0].rule).toMatchObject({ metric: 'matthews_correlation', from: 4, best: true });
    for (const [row, folder] of [
      [lora, 'lora'],
      [adaLora, 'adalora'],
    ] as const) {
      const finals = [0, 1].map((seed) => {
        const events = workspace.events(`table/runs/glue/cola/${folder}-rank-2/seed-${seed}`);
        const own = events.filter(({ type, step }) => type === 'evaluation' && step >= 4);
        return Math.max(...own.map((event) => Number(Object(event).eval_matthews_correlation)));
      });
      expect(row.scores.matthews_correlation.mean).toBeCloseTo((finals[0]! + finals[1]!) / 2, 12);
    }
    expect(table).toMatch(/\| AdaLoRA rank 2 \| 2 \| .* \| LoRA rank 2: [+−]\d/);
    expect(existsSync(workspace.path('table', 'report.html'))).toBe(true);
  });

  it.each([
    [['compare', 'tabel1'], 'There is no file or table "tabel1". Did you mean table1'],
    [
      ['compare', 'figure2', '--only', 'summarization/xsum', '--only', '0.08%', '--plan', '--json'],
      '`--only` selects nothing: no row has all of summarization/xsum, 0.08%.',
    ],
    [
      ['compare', 'figure2', '--only', 'loraa', '--plan'],
      '`--only` must be a row, a task, a method or a level of the file, got loraa. Did you mean lora',
    ],
    [[...ARGUMENTS, '--shard', '3/2'], 'Use i/n with i from 1 to n'],
    [
      ['compare', 'table1', '--set', 'data_folder=nowhere', '-o', 'new'],
      'nowhere contains no dataset for these rows.',
    ],
  ])('rejects %j', async (args, message) => {
    await refuses(workspace.run(...args), message);
  });
});
