import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { REFERENCE } from '../figures.ts';
import { median } from '../median.ts';
import { BENCH_METHODS, benchCases } from '../shapes.ts';
import { Launcher } from '../sides.ts';
import { measureSteps } from '../step-rows.ts';

/*
 * npm run bench:methods -- [--case 'MiniLM, 32 x 32'] [--steps 15] [--dropout 0] [--only text]
 *
 * A training step of every method beside the same in PyTorch (BENCH_PYTHON), by PEFT where it has it: a method after the
 * other, one step of each side in turn. Medians, and how many times the speed of PyTorch in float32 that is.
 */

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'MiniLM, 32 x 32' },
    /** Of every side, after two that are not counted. */
    steps: { type: 'string', default: '15' },
    dropout: { type: 'string', default: '0' },
    /** Methods whose name has this in it. */
    only: { type: 'string', default: '' },
  },
});
const size = benchCases(Number(options.dropout))
  .flat()
  .find(({ name }) => name === options.case);
if (!size) throw new Error('--case: no such thing in bench/shapes.ts');
const scratch = mkdtempSync(join(tmpdir(), 'adalora-bench-'));
try {
  const launcher = new Launcher(process.env.BENCH_PYTHON, join(scratch, 'cache'));
  console.log(`| ${options.case} | ${launcher.sides.map(({ name }) => name).join(' | ')} |`);
  console.log(`|---${'|---'.repeat(launcher.sides.length)}|`);
  for (const method of BENCH_METHODS.filter((name) => name.includes(options.only))) {
    const { runs } = await measureSteps([{ ...size, method }], launcher, {
      rounds: { warmUp: 2, kept: Number(options.steps) },
      threads: availableParallelism(),
      folder: join(scratch, 'model'),
    });
    const times = runs.map(({ ms }) => median(ms));
    const torch = runs.findIndex(({ side }) => side === REFERENCE);
    const cells = times.map(
      (ms) => `${ms.toFixed(0)} ms${torch < 0 ? '' : `, ${(times[torch] / ms).toFixed(2)}`}`,
    );
    console.log(`| ${method}, ${runs[0].trainable.toLocaleString('en')} trained | ${cells.join(' | ')} |`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
