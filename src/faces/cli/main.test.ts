import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandHost } from '../../../tests/support/command-host.ts';
import { newFolder } from '../../../tests/support/new-folder.ts';

const folder = newFolder();
let host: CommandHost;
beforeAll(() => {
  host = new CommandHost('.', { ...process.env, HF_HUB_OFFLINE: '1', HF_HUB_CACHE: join(folder, 'hub') });
});
afterAll(() => {
  host.close();
});

async function adalora(...args: string[]) {
  const { code, stdout, stderr } = await host.run(args);
  return { code, stdout, stderr: stderr.replaceAll(`${folder}/`, '') };
}

it('prints its help without arguments', async () => {
  expect(await adalora()).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage: adalora') });
});

it('answers with exit code 0', async () => {
  const version = `${JSON.parse(readFileSync('package.json', 'utf8')).version}\n`;
  expect(await adalora('--version')).toMatchObject({ code: 0, stdout: version });
  for (const words of [
    ['train', '--help'],
    ['help', 'train'],
  ])
    expect(await adalora(...words)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Usage: adalora train'),
    });
});

it.each([
  [['--version'], 0],
  [['trian'], 2],
])('ends its process with an exit code: %j', (args, status) => {
  const words = ['dist/cli/main.js', ...args];
  expect(spawnSync(process.execPath, words, { timeout: 300_000 })).toMatchObject({ status });
});

it.each([
  [['compare', 'table1', '--plan'], 'without them. --shard i/n splits its work'],
  [['predict', 'run', 'rows.tsv'], 'without them. --shard i/n splits its work'],
  [['eval', 'run', 'rows.tsv'], 'without them.\n'],
  [['init', 'new'], 'without them.\n'],
  [['export', 'run', '--as', 'merged', '-o', 'new'], 'without them.\n'],
])('rejects commands that several processes cannot share, reported by the first: %j', (args, hint) => {
  const words = ['dist/cli/main.js', ...args];
  const [first, second] = ['0', '1'].map((rank) => {
    const env = { ...process.env, OMPI_COMM_WORLD_RANK: rank, OMPI_COMM_WORLD_SIZE: '2' };
    return spawnSync(process.execPath, words, { env, encoding: 'utf8', timeout: 300_000 });
  });
  expect(first).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(hint) });
  expect(first!.stderr).toContain(`adalora ${args[0]} runs in one process, but`);
  expect(second).toMatchObject({ status: 0, stdout: '', stderr: '' });
});

it.each([
  [['trian'], "unknown command 'trian'\n(Did you mean train?)"],
  [['trian', '--help'], "unknown command 'trian'\n(Did you mean train?)"],
  [['predict', 'x', '--logit'], '(Did you mean --logits?)'],
  [
    ['predict', 'x', '--max_length', '0'],
    "error: option '--max_length, --max-length <tokens>' argument '0' is invalid. Use a whole number from 1.",
  ],
  [['train', 'x', '--num_train_epochs', '3'], '--num_train_epochs is a key of the config: --epochs VALUE'],
  [
    ['plan', '--weight-decay', '0.1'],
    '--weight-decay is a key of the config: --set training.weight_decay=VALUE',
  ],
  [['compare', 'table1', '--seeds', '2'], '--seeds is a key of the config: --set seeds=VALUE'],
  [['train', 'x', '--lr', 'fast'], "'--lr <rate>' argument 'fast' is invalid. Use a number."],
  [['train'], 'adalora.yaml does not exist in this folder. Name a config, or write one with adalora init.'],
  [
    ['train', 'examples/colaa.yaml'],
    'examples/colaa.yaml does not exist; it should be a config file. Did you mean examples/cola.yaml',
  ],
  [['train', 'examples/cola.yaml', '--set', 'seed'], '`--set` must be key=value, got "seed"'],
  [['train', 'examples/colaa.csv'], 'examples/colaa.csv does not exist. Did you mean examples/cola.yaml?'],
  [['train', 'examples/cola.yaml', '--set', 'seed=-1'], '--set: `seed` must be at least 0, got -1.'],
  [['export', 'x', '-o', 'y'], 'adalora export needs --as <form>: merged: the whole model'],
  [
    ['predict'],
    'adalora predict needs <run or adapter>: folder of a run or of an adapter (PEFT or AdapterHub).\n' +
      'Usage: adalora predict [options] <run or adapter> [file or text]\n' +
      'For all options, see adalora predict --help.\n',
  ],
  // Only options that apply to texts to embed exist.
  [['embed', 'x', '--label', 'label'], "unknown option '--label'"],
  // The name may also be an adapter's id on the Hub.
  [
    ['export', 'nothing-here', '--as', 'merged', '-o', 'y'],
    'nothing-here@main is neither a folder nor in the cache hub',
  ],
  [['inspect', 'nothing-here'], 'nothing-here@main is neither a folder nor in the cache hub'],
  [
    ['inspect', 'exampels'],
    'exampels does not exist; it should be the folder of a run, an adapter or a model, or its id on the Hub. Did you mean examples?',
  ],
])('an error gives exit code 2 and a message without a stack trace: %j', async (args, message) => {
  const { code, stdout, stderr } = await adalora(...args);
  expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/^ +at /m);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

it.each(['train', 'eval', 'predict', 'embed', 'generate', 'inspect', 'serve', 'export'])(
  'the help of %s has lines of at most 80 columns',
  async (command) => {
    const { code, stdout } = await adalora(command, '--help');
    expect(code).toBe(0);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toMatch(/--\w+_/);
  },
);

it('reports the line of an error in a config', async () => {
  const path = join(folder, 'run.yaml');
  writeFileSync(path, 'model: a\noutput: b\ndata: {train: t, text: 0, label: 1}\ntraining:\n  epochs: 3\n');
  const { code, stderr } = await adalora('plan', path);
  expect(code).toBe(2);
  expect(stderr).toBe('run.yaml:5: `training.epochs` is not a known key. Did you mean num_train_epochs?\n');
});

const adapter = '../shared/conformance/trajectories/bert-adalora/adapter';

describe.skipIf(!existsSync(adapter))('inspect (skipped without ../shared)', () => {
  it('shows the ranks of an adapter from PEFT', async () => {
    expect(`\n${(await adalora('inspect', adapter)).stdout}`).toMatchInlineSnapshot(`
      "
      ADALORA adapter of ../base

      layer  query   key  value  attention.output.dense  intermediate.dense  output.dense  mean
      0          2     3      5                       6                   3             1   3.3
      1          2     1      3                       3                   4             3   2.7
      mean     2.0   2.0    4.0                     4.5                 3.5           2.0   3.0

      total rank 36 in 12 matrices, 3.00 on average of 6 at the start
      2,692 parameters, and 99 in modules saved whole
      "
    `);
  });

  it('agrees with the rank pattern', async () => {
    const { rank_pattern } = JSON.parse(readFileSync(`${adapter}/adapter_config.json`, 'utf8'));
    const kept = Object.entries<boolean[]>(rank_pattern).map(([name, rows]) => [
      name.replace('.lora_E', ''),
      rows.filter((row) => row).length,
    ]);
    const { stdout } = await adalora('inspect', adapter, '--json');
    expect(JSON.parse(stdout).ranks).toEqual(Object.fromEntries(kept));
  });
});
