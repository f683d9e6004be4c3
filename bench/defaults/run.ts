import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import type { MethodName } from '../../src/methods/tuners/registry.ts';
import { Random } from '../../src/support/random.ts';
import { BASELINES, baselineScore } from './baseline-score.ts';
import { type Cell, type CellResult, runCell, runSetFit, SETFIT } from './run-cell.ts';
import { type LabeledRow, SUITE } from './tasks.ts';

/*
 * npm run bench:defaults -- [--rows 100,400] [--models mini,MiniLM] [--methods adalora] [--arms policy,peft]
 * [--tasks RTE] [--seeds 0] [--base int8] [--shard 0/2] [--out FILE]
 *
 * The arm `setfit` needs SETFIT_PYTHON, a Python with the package setfit. Points of a sweep are arms such as `lr5e-3`.
 *
 * Prints a JSON line for each cell. Cells that already have a line in the file are skipped, so that a stopped
 * run can continue and shards can share a file. `table.ts` makes the table.
 */

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '50,100,200,400,1600' },
    models: { type: 'string', default: 'mini,MiniLM' },
    methods: { type: 'string', default: 'adalora' },
    arms: { type: 'string', default: 'majority,bag,policy,peft' },
    tasks: { type: 'string', default: SUITE.map(({ name }) => name).join() },
    seeds: { type: 'string', default: '0,1,2' },
    base: { type: 'string', default: 'float32' },
    shard: { type: 'string', default: '0/1' },
    out: { type: 'string', default: 'runs/bench-defaults.jsonl' },
  },
});

const MODELS: Readonly<Record<string, string>> = {
  mini: 'adalora-mini',
  MiniLM: process.env.ADALORA_MINILM ?? '../shared/models/all-MiniLM-L6-v2',
};

const isBaseline = (arm: string) => BASELINES.some((name) => name === arm);
const list = (text: string) => text.split(',');
/** Semicolons separate arms, and commas separate the settings of an arm. Without semicolons, commas separate arms. */
const arms = options.arms.includes(';') ? options.arms.split(';').filter(Boolean) : list(options.arms);

const cells: Cell[] = list(options.seeds).flatMap((seed) =>
  list(options.rows).flatMap((rows) =>
    list(options.models).flatMap((model) =>
      list(options.methods).flatMap((method) =>
        arms.flatMap((arm) =>
          list(options.tasks).map((task) => ({
            task,
            arm,
            rows: Number(rows),
            seed: Number(seed),
            ...(isBaseline(arm)
              ? { model: '-', method: 'adalora' as const, base_dtype: 'float32' }
              : { model, method: method as MethodName, base_dtype: options.base }),
          })),
        ),
      ),
    ),
  ),
);

const keyOf = ({ task, rows, model, method, arm, seed, base_dtype }: Cell) =>
  JSON.stringify([task, rows, model, method, arm, seed, base_dtype]);
const done = (): Set<string> =>
  new Set(
    existsSync(options.out)
      ? readFileSync(options.out, 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => keyOf(JSON.parse(line) as CellResult))
      : [],
  );

const read = new Map<string, { train: LabeledRow[]; test: LabeledRow[] }>();
const [shard, shards] = options.shard.split('/').map(Number) as [number, number];
mkdirSync(dirname(options.out), { recursive: true });
for (const cell of cells.filter((_, i) => i % shards === shard)) {
  if (done().has(keyOf(cell))) continue;
  const task = SUITE.find(({ name }) => name === cell.task);
  if (!task) throw new Error(`--tasks: no ${cell.task} in bench/defaults/tasks.ts`);
  const { train, test } = read.get(cell.task) ?? task.read();
  read.set(cell.task, { train, test });
  // Each seed trains on other rows, because the bench measures how well a file of this size is learned.
  const order = new Random(cell.seed, `rows ${cell.task}`).permutation(train.length);
  const rows = Array.from(order.subarray(0, cell.rows), (i) => train[i]!);
  // With fewer rows, the smaller size would be measured twice.
  if (rows.length < cell.rows * 0.9) continue;
  try {
    const result = isBaseline(cell.arm)
      ? { ...cell, score: await baselineScore(cell.arm, task, rows, test), seconds: 0 }
      : cell.arm === SETFIT
        ? runSetFit(cell, rows, test, MODELS[cell.model]!)
        : await runCell(cell, task, rows, test, MODELS[cell.model]!);
    appendFileSync(options.out, `${JSON.stringify(result)}\n`);
    console.log(
      `${cell.task} ${rows.length} ${cell.model} ${cell.method} ${cell.arm} seed ${cell.seed}: ${result.score.toFixed(3)} in ${result.seconds.toFixed(0)} s`,
    );
  } catch (error) {
    console.error(`${keyOf(cell)}: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
