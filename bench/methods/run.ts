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
 * Measures a training step of every method, here and in PyTorch (BENCH_PYTHON). The PyTorch side uses PEFT if
 * it has the method. For each method, the sides take turns after each step. Prints medians, and the speed
 * relative to PyTorch in float32.
 */

const { values: options } = parseArgs({
  options: {
    case: { type: 'string', default: 'MiniLM, 32 x 32' },
    /** Number of steps per side, after two warm-up steps. */
    steps: { type: 'string', default: '15' },
    dropout: { type: 'string', default: '0' },
    /** Measures only methods with this text in their name. */
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
