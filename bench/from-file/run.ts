import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';
import { Random } from '../../src/support/random.ts';
import { SUITE } from '../defaults/tasks.ts';
import { describeMachine } from '../machine.ts';
import { canImport } from '../sides.ts';
import { type FileCell, type FileResults, filePage, type Spent } from './page.ts';

/*
 * BENCH_PYTHON=python3 npm run bench:file -- [--tasks SST-2,topics,prices] [--rows 100] [--test 400] [--seeds 0]
 * [--programs fastText] [--out docs/results/from-file]
 *
 * Measures whole tasks: a command trains on a file and saves a model, and another command predicts the test rows.
 * Programs alternate on each task. Other tasks and seeds in OUT.json stay. Without BENCH_PYTHON, or without its packages, only the others run. Build first.
 */

const MINILM = resolve(process.env.ADALORA_MINILM ?? '../shared/models/all-MiniLM-L6-v2');
const PYTHON = process.env.BENCH_PYTHON;

interface Program {
  name: string;
  /** The program's name in from_file.py. Default: adalora. */
  python?: string;
  /** Modules that Python must have. */
  imports?: string;
  model?: string;
}

const PROGRAMS: readonly Program[] = [
  { name: 'adalora, built-in encoder' },
  { name: 'adalora, MiniLM', model: MINILM },
  { name: 'SetFit, MiniLM', python: 'setfit', imports: 'setfit', model: MINILM },
  {
    name: 'logistic regression on MiniLM',
    python: 'logistic',
    imports: 'sentence_transformers, sklearn',
    model: MINILM,
  },
  { name: 'fastText', python: 'fasttext', imports: 'fasttext' },
];

const ADALORA = ['node', resolve('dist/cli/main.js')];
const OTHER = [PYTHON ?? '', resolve('bench/python/from_file.py')];

const { values: options } = parseArgs({
  options: {
    tasks: { type: 'string', default: 'SST-2' },
    rows: { type: 'string', default: '100' },
    /** Most test rows of a task. */
    test: { type: 'string', default: '400' },
    seeds: { type: 'string', default: '0' },
    /** Runs only programs with one of these texts in their name, separated by semicolons. */
    programs: { type: 'string', default: '' },
    out: { type: 'string', default: 'docs/results/from-file' },
  },
});

const programs = PROGRAMS.filter(
  ({ name, imports }) =>
    options.programs.split(';').some((part) => name.includes(part)) &&
    (!imports || canImport(PYTHON, imports)),
);
const scratch = mkdtempSync(join(tmpdir(), 'adalora-file-'));
const [tasks, seeds] = [options.tasks.split(','), options.seeds.split(',').map(Number)];
const rows = Number(options.rows);
const results = readResults();
results.load.push(loadavg()[0]!);
try {
  for (const seed of seeds) for (const name of tasks) measureTask(name, seed);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
results.load.push(loadavg()[0]!);
const order = PROGRAMS.map(({ name }) => name);
results.cells.sort((a, b) => order.indexOf(a.program) - order.indexOf(b.program));
atomicWrite(`${options.out}.json`, `${JSON.stringify(results, null, 1)}\n`);
atomicWrite(`${options.out}.md`, filePage(results));
console.log(filePage(results));

/** The earlier cells with as many rows, without those that are measured now. */
function readResults(): FileResults {
  const file = `${options.out}.json`;
  const machine = describeMachine();
  const before: FileResults | undefined = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : undefined;
  if (before?.rows !== rows || before.machine !== machine)
    return { machine, load: [], rows, testRows: {}, cells: [] };
  const isMeasuredNow = (cell: FileCell) =>
    tasks.includes(cell.task) &&
    seeds.includes(cell.seed) &&
    programs.some(({ name }) => name === cell.program);
  return { ...before, cells: before.cells.filter((cell) => !isMeasuredNow(cell)) };
}

function measureTask(name: string, seed: number): void {
  const task = SUITE.find((one) => one.name === name);
  if (!task) throw new Error(`--tasks: no ${name} in bench/defaults/tasks.ts`);
  const { train, test: all } = task.read();
  const test = all.slice(0, Number(options.test));
  // The same draw as in bench/defaults.
  const draw = new Random(seed, `rows ${name}`).permutation(train.length).subarray(0, rows);
  results.testRows[name] = test.length;
  const folder = join(scratch, `${name}-${seed}`);
  mkdirSync(folder);
  const [trainFile, testFile] = [join(folder, 'train.jsonl'), join(folder, 'test.jsonl')];
  writeFileSync(trainFile, lines(Array.from(draw, (i) => train[i]!)));
  // adalora refuses labels that the model does not know, so the test file has none.
  writeFileSync(testFile, lines(test.map(({ label: _, ...row }) => row)));
  for (const at of new Random(seed, `programs ${name}`).permutation(programs.length)) {
    const program = programs[at]!;
    // adalora writes the config of a file into the working directory, and would find that of another program.
    const own = join(folder, `${at}`);
    mkdirSync(own);
    const model = join(own, 'model');
    const trained = timed(trainCommand(program, trainFile, model, seed), own);
    const predicted = timed(predictCommand(program, testFile, model), own);
    const labels = readLabels(program, predicted.output);
    if (labels.length !== test.length)
      throw new Error(`${program.name}: ${labels.length} labels for ${test.length} rows`);
    const right = test.filter(({ label }, i) => label === labels[i]).length;
    const cell: FileCell = {
      ...{ task: name, program: program.name, seed },
      ...{ train: trained.spent, predict: predicted.spent },
      accuracy: right / test.length,
    };
    results.cells.push(cell);
    console.error(JSON.stringify(cell));
  }
}

function trainCommand({ python, model }: Program, file: string, output: string, seed: number): string[] {
  if (python) return [...OTHER, python, 'train', file, output, model ?? '', `${seed}`];
  const chosen = model ? ['--model', model] : [];
  return [...ADALORA, 'train', file, '--output', output, '--seed', `${seed}`, '--quiet', ...chosen];
}

function predictCommand({ python, model }: Program, file: string, trained: string): string[] {
  if (python) return [...OTHER, python, 'predict', file, trained, model ?? ''];
  return [...ADALORA, 'predict', trained, file, '--json'];
}

function readLabels({ python }: Program, output: string): string[] {
  if (python) return JSON.parse(output);
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).label);
}

function timed([command, ...args]: string[], cwd: string): { spent: Spent; output: string } {
  const started = performance.now();
  const child = spawnSync('bash', ['-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', command!, ...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, HF_HUB_OFFLINE: '1', PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1' },
  });
  const seconds = (performance.now() - started) / 1000;
  if (child.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${child.stderr.slice(-2000)}`);
  const used = child.stderr.trim().split('\n').at(-1)!.split(' ').map(Number);
  return { spent: { seconds, processor: used[0]! + used[1]! }, output: child.stdout };
}

function lines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}
