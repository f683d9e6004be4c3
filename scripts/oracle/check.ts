import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { SMALL_GENERATORS, writeSmallGenerator } from '../../tests/support/small-generator.ts';
import { Workspace } from '../../tests/support/workspace.ts';

/*
 * tsx check.ts
 *
 * Compares this program with PEFT and transformers on a small model. They load what this program trains, exports and
 * merges, and this program loads what PEFT trains. Labels must be equal, and logits within 1e-4 (cards: 1e-5).
 * In transformers, small language models must generate the texts of the tests' fixture. Needs a Python with torch and peft (PYTHON, default:
 * python3). Without them, the script prints a message.
 */

const PYTHON = process.env.PYTHON ?? 'python3';

const CONFIG = `model: model
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32, pooling: none}
training: {learning_rate: 2e-2, per_device_train_batch_size: 16, floor: false}
adalora: {target_r: 2, init_r: 4, lora_alpha: 16, tinit: 10%, tfinal: 30%, deltaT: 2}
lora: {r: 4, use_rslora: true, rank_pattern: {value: 2}, alpha_pattern: {query: 4}, bias: lora_only}
svd_lora: {r: 3, lora_alpha: 16}
# The budget is so small that some matrices get rank 0.
prune_lora: {target: 9 doublets, init_r: 4, lora_alpha: 16, tinit: 10%, tfinal: 30%, deltaT: 2}
`;

const COMPARISON = `model: model
data: {train: train.tsv, validation: dev.tsv, text: sentence, label: label, max_length: 32, pooling: none}
training: {max_steps: 6, per_device_train_batch_size: 16, learning_rate: 2e-2, eval_strategy: steps, eval_steps: 3, floor: false}
rows: {LoRA: {method: lora, lora.r: 2}, BitFit: {method: bitfit}, IA3: {method: ia3}}
seeds: 4
output: compared
`;

/** Runs whose layer reads sentence vectors: a card's Python must give their predictions. */
const LAYERED = `model: model
data: {train: pairs-train.tsv, text: sentence, label: label, max_length: 32, pooling: mean}
training: {max_steps: 6, learning_rate: 2e-2, per_device_train_batch_size: 16}
`;

const METHODS = ['lora', 'adalora', 'svd_lora', 'prune_lora'];

/** Settings by the name of their run. */
const OPTIONS: Record<string, string[]> = {
  'rs-adalora': [
    'method=adalora',
    'adalora.scale=rslora',
    'adalora.init=orthonormal',
    'adalora.score=signal-to-noise',
  ],
  'rs-svd_lora': ['method=svd_lora', 'svd_lora.scale=rslora'],
  'rs-prune_lora': ['method=prune_lora', 'prune_lora.scale=rslora'],
  'rs-lora': ['method=lora', 'lora={r: 4, scale: rslora}'],
  eva: ['method=examples/methods/eva.mjs', 'eva={r: 2, tau: 0.8, use_rslora: true}'],
  gora: ['method=examples/methods/gora.mjs', 'gora={r: 2, min_rank: 1, gradient_batches: 4}'],
  sensitivity_lora: [
    'method=examples/methods/sensitivity-lora.mjs',
    'sensitivity_lora={r: 2, lora_alpha: 16}',
  ],
  igulora: ['method=igulora', 'igulora={target_r: 2, init_r: 4, lora_alpha: 16, deltaT: 2}'],
  elalora: ['method=elalora', 'elalora={r: 3, lora_alpha: 16, deltaT: 2}'],
  flexlora: ['method=examples/methods/flexlora.mjs', 'flexlora={r: 3, lora_alpha: 16, deltaT: 2}'],
  increlora: ['method=examples/methods/increlora.mjs', 'increlora={target_r: 3, lora_alpha: 16, top_h: 3}'],
  adadora: ['method=adadora', 'adadora={target_r: 2, init_r: 4, lora_alpha: 16, deltaT: 2}'],
};

const OURS = ['bad', 'good'];
const PEFTS = ['LABEL_0', 'LABEL_1'];

if (!has('torch', 'peft', 'transformers')) {
  console.log(`skipped: ${PYTHON} has no torch, peft and transformers`);
} else {
  const workspace = new Workspace({ ADALORA_THREADS: '1' });
  try {
    await check(workspace);
  } finally {
    workspace.remove();
  }
}

async function check(workspace: Workspace): Promise<void> {
  for (const type of SMALL_GENERATORS)
    writeSmallGenerator(workspace.path('generators', type), type, { vocab_size: 24 });
  workspace.write('run.yaml', CONFIG);
  // Python trains at the same time.
  const [ours] = await Promise.all([
    trainOurs(workspace),
    inPython(workspace, [
      ['model_generation_cases.py', 'generators', resolve('src/program/generation/fixtures/models.json')],
      ...['lora', 'adalora'].flatMap((method) => [
        trainIn(method),
        [...trainIn(method, 'pickle'), '--pickle'],
      ]),
    ]),
  ]);
  const layered = await trainLayered(workspace);
  const pefts = await continuePefts(workspace);
  const comparison = has('scipy') ? [await compareRuns(workspace)] : [];
  await inPython(workspace, [...ours, ...layered, ...pefts, ...comparison]);
}

/** Trains, exports and merges here. */
async function trainOurs(workspace: Workspace): Promise<string[][]> {
  const checks: string[][] = [];
  for (const method of METHODS) {
    await adalora(workspace, 'train', 'run.yaml', ...set(`method=${method}`, `output=${method}`));
    checks.push(await predicted(workspace, method, `${method}/adapter`));
    await adalora(workspace, 'export', method, '--as', 'merged', '-o', `merged-${method}`);
    checks.push(sameAs(`merged-${method}`, method));
  }
  for (const [output, settings] of Object.entries(OPTIONS)) {
    await adalora(workspace, 'train', 'run.yaml', ...set(...settings, `output=${output}`));
    checks.push(await predicted(workspace, output, `${output}/adapter`));
  }
  checks.push(['lora_config.py', 'gora/rank_pattern.json']);
  for (const method of ['adalora', 'svd_lora']) {
    await adalora(workspace, 'export', method, '--as', 'lora', '-o', `exported-${method}`);
    checks.push(sameAs(`exported-${method}`, method));
  }
  return checks;
}

/** Trains a layer on sentence vectors here: of single texts, of pairs, and in whole models. */
async function trainLayered(workspace: Workspace): Promise<string[][]> {
  for (const name of ['train', 'dev'])
    workspace.write(`pairs-${name}.tsv`, pairs(`${workspace.read(`${name}.tsv`)}`));
  workspace.write('layered.yaml', LAYERED);
  const checks: string[][] = [];
  for (const method of ['lora', 'adalora', 'full'])
    for (const settings of [[], ['data.text_pair=other']]) {
      const run = `layered-${method}-${settings.length}`;
      await adalora(
        workspace,
        'train',
        'layered.yaml',
        ...set(`method=${method}`, ...settings, `output=${run}`),
      );
      workspace.write(`${run}.jsonl`, await adalora(workspace, 'predict', run, 'pairs-dev.tsv', '--logits'));
      const columns = ['--text', 'sentence', ...(settings.length > 0 ? ['--text-pair', 'other'] : [])];
      checks.push([
        ...['check_card.py', run, `${run}.jsonl`, 'pairs-dev.tsv', '--model', 'model'],
        ...[...columns, '--labels', ...OURS],
      ]);
    }
  return checks;
}

/** Adds a column with the text of the next row. */
function pairs(file: string): string {
  const [head, ...rows] = file
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  const column = head!.indexOf('sentence');
  const other = (i: number) => rows[(i + 1) % rows.length]![column]!;
  const lines = [[...head!, 'other'], ...rows.map((row, i) => [...row, other(i)])];
  return `${lines.map((cells) => cells.join('\t')).join('\n')}\n`;
}

/** Predicts with what PEFT has trained, and continues it here. */
async function continuePefts(workspace: Workspace): Promise<string[][]> {
  const checks: string[][] = [];
  for (const method of ['lora', 'adalora']) {
    const folders = [`peft-${method}-safetensors`, `peft-${method}-pickle`];
    const columns = ['--text', 'sentence', '--max-length', '32'];
    for (const folder of folders) checks.push(await predicted(workspace, folder, folder, PEFTS, columns));
    const settings = [`method=${method}`, `${method}={}`, `adapter=${folders[1]}`, 'training.max_steps=5'];
    await adalora(workspace, 'train', 'run.yaml', ...set(...settings, `output=on-${method}`));
    checks.push(await predicted(workspace, `on-${method}`, `on-${method}/adapter`));
  }
  return checks;
}

async function compareRuns(workspace: Workspace): Promise<string[]> {
  workspace.write('compare.yaml', COMPARISON);
  await adalora(workspace, 'compare', 'compare.yaml');
  return ['comparison.py', 'compared/table.json'];
}

function set(...settings: string[]): string[] {
  return settings.flatMap((setting) => ['--set', setting]);
}

/** Runs `adalora`, and returns what it prints. */
async function adalora(workspace: Workspace, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await workspace.run(...words);
  if (code !== 0) throw new Error(`adalora ${words.join(' ')}: ${stderr}`);
  return stdout;
}

/** Predicts with a run or an adapter here. Returns the check of a folder with these predictions. */
async function predicted(
  workspace: Workspace,
  run: string,
  folder: string,
  labels = OURS,
  options: string[] = [],
) {
  const lines = await adalora(workspace, 'predict', run, 'dev.tsv', '--logits', ...options);
  workspace.write(`${run}.jsonl`, lines);
  return sameAs(folder, run, labels);
}

/** The check that a folder gives the predictions of a run in Python. */
function sameAs(folder: string, run: string, labels = OURS): string[] {
  const base = ['--model', 'model', '--text', 'sentence', '--max-length', '32'];
  return ['check_adapter.py', folder, `${run}.jsonl`, 'dev.tsv', ...base, '--labels', ...labels];
}

function trainIn(method: string, format = 'safetensors'): string[] {
  const columns = ['--text', 'sentence', '--label', 'label', '--max-length', '32', '--steps', '40'];
  return [
    ...['train_adapter.py', `peft-${method}-${format}`, 'train.tsv'],
    ...['--model', 'model', '--method', method, ...columns],
  ];
}

/** Runs scripts of this folder one after another. */
async function inPython(workspace: Workspace, scripts: readonly string[][]): Promise<void> {
  const child = spawn(PYTHON, [resolve('scripts/oracle/several.py')], {
    cwd: workspace.folder,
    env: { ...process.env, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: '1' },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.end(scripts.map((words) => `${JSON.stringify(words)}\n`).join(''));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`Python failed with exit code ${code}`);
}

function has(...packages: string[]): boolean {
  const program =
    'import sys\nfrom importlib.util import find_spec\nsys.exit(not all(map(find_spec, sys.argv[1:])))';
  return spawnSync(PYTHON, ['-c', program, ...packages]).status === 0;
}
