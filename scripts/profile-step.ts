import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../bench/median.ts';
import { writeRandomCheckpoint } from '../bench/random-checkpoint.ts';
import { benchCases } from '../bench/shapes.ts';
import { kindWithShapes, stepProfile } from '../bench/step-profile.ts';
import { trainingStep } from '../bench/training-step.ts';
import { BASE_DTYPES, type BaseDtype } from '../src/program/bases/base-dtype.ts';

/*
 * npx tsx scripts/profile-step.ts --case 'MiniLM, 32 x 64' --base-dtype int8
 *
 * Profiles a training step of a bench case with the engine's profiler. Prints a table of kernels by kind,
 * then the engine's overhead and the time in JavaScript.
 */

const { values: flags } = parseArgs({
  options: {
    case: { type: 'string', default: 'MiniLM, 32 x 64' },
    method: { type: 'string', default: 'adalora' },
    'base-dtype': { type: 'string', default: 'float32' },
    dropout: { type: 'string', default: '0.1' },
    /** Batch size, if it differs from the case's. */
    batch: { type: 'string' },
    length: { type: 'string' },
    steps: { type: 'string', default: '7' },
    /** Lists every shape of every kernel. */
    shapes: { type: 'boolean', default: false },
  },
});
const cases = benchCases(Number(flags.dropout)).flat();
const benchCase = cases.find(({ name, method }) => name === flags.case && method === flags.method);
if (!benchCase) throw new Error(`--case: one of ${[...new Set(cases.map(({ name }) => name))].join('; ')}`);
const dtype = BASE_DTYPES.find((name) => name === flags['base-dtype']) as BaseDtype;
if (!dtype) throw new Error(`--base-dtype: one of ${BASE_DTYPES.join(', ')}`);
const steps = Number(flags.steps);
const folder = mkdtempSync(join(tmpdir(), 'adalora-profile-'));
try {
  writeRandomCheckpoint(folder, benchCase);
  const batch = Number(flags.batch ?? benchCase.batch);
  const length = Number(flags.length ?? benchCase.length);
  const cacheFolder = join(folder, 'cache');
  const step = await trainingStep({ ...benchCase, batch, length, folder, dtype, cacheFolder });
  const times: { engine: number; update: number }[] = [];
  for (let i = -2; i < steps; i++) {
    const taken = await step.run();
    if (i >= 0) times.push(taken);
  }
  const lines = await stepProfile(
    steps,
    (prefix) => step.profiled(prefix, steps),
    flags.shapes ? kindWithShapes : undefined,
  );
  for (const { kind, kernels, ms, share } of lines)
    console.log(`| ${kind} | ${kernels} | ${ms.toFixed(2)} | ${(100 * share).toFixed(1)} % |`);
  const kernelMs = lines.reduce((sum, { ms }) => sum + ms, 0);
  const of = (part: 'engine' | 'update') => median(times.map((time) => time[part]));
  console.log(
    `a step takes ${of('engine').toFixed(1)} ms in the engine, ${of('update').toFixed(2)} ms in the update; ` +
      `under the profiler its kernels take ${kernelMs.toFixed(1)} ms`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
