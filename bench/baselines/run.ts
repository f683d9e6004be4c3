import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';
import { describeMachine } from '../machine.ts';
import { benchCases } from '../shapes.ts';
import { BASELINES, Launcher, SIDES } from '../sides.ts';
import { measureSteps } from '../step-rows.ts';
import { type BaselineResults, baselinePage } from './page.ts';

/*
 * BENCH_PYTHON=python3 npm run bench:baselines -- [--case 'MiniLM, 32 x 64'] [--methods adalora,lora] [--steps 7]
 * [--sides 'adalora,PEFT float32'] [--batch 4] [--out docs/results/baselines]
 *
 * Measures training steps of a size compared with PEFT in all its settings: eager and compiled, other types of the
 * frozen weights, and both libraries with the other one's pages. All sides of a method alternate. Adds the measured methods of the size to
 * OUT.json, and writes the page OUT.md from it.
 */

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'MiniLM, 32 x 64' },
    methods: { type: 'string', default: 'adalora,lora' },
    /** Number of steps per side, after two warm-up steps. */
    steps: { type: 'string', default: '7' },
    sides: { type: 'string', default: '' },
    batch: { type: 'string', default: '' },
    out: { type: 'string', default: 'docs/results/baselines' },
  },
});
const methods = options.methods.split(',');
const cases = benchCases(0, Number(options.batch) || undefined)
  .flat()
  .filter(({ name, method }) => name === options.case && methods.includes(method));
if (cases.length === 0) throw new Error('--case, --methods: no such thing in bench/shapes.ts');
const threads = availableParallelism();
const scratch = mkdtempSync(join(tmpdir(), 'adalora-bench-'));
const file = `${options.out}.json`;
const results: BaselineResults = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { sizes: [] };
try {
  const sides = [...SIDES, ...BASELINES];
  const launcher = new Launcher(process.env.BENCH_PYTHON, join(scratch, 'cache'), options.sides, sides);
  const before = results.sizes.find(({ name }) => name === options.case);
  const size: BaselineResults['sizes'][number] = {
    name: options.case,
    machine: describeMachine(),
    versions: {},
    load: [...(before?.load ?? []), loadavg()[0]!],
    runs: before?.runs.filter(({ method }) => !methods.includes(method)) ?? [],
  };
  // One method at a time, because a machine may not have the memory for all processes.
  for (const one of cases) {
    const rounds = { warmUp: 2, kept: Number(options.steps) };
    const { runs, versions } = await measureSteps([one], launcher, {
      ...{ rounds, threads },
      folder: join(scratch, 'model'),
    });
    size.runs.push(...runs);
    size.versions = { ...versions };
  }
  size.load.push(loadavg()[0]!);
  results.sizes = [...results.sizes.filter(({ name }) => name !== size.name), size];
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
atomicWrite(file, `${JSON.stringify(results, null, 1)}\n`);
atomicWrite(`${options.out}.md`, baselinePage(results));
console.log(baselinePage(results));
