import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median } from '../bench/median.ts';
import { writeRandomCheckpoint } from '../bench/random-checkpoint.ts';
import { benchCases } from '../bench/shapes.ts';
import { type TrainingStep, trainingStep } from '../bench/training-step.ts';
import { BASE_DTYPES, type BaseDtype } from '../src/program/bases/base-dtype.ts';

/*
 * npx tsx scripts/compare-methods.ts --case 'MiniLM, 32 x 32' --base-dtype int8 --pairs 60
 *
 * Measures the time of an AdaLoRA step relative to a LoRA step. Both run in one process and take turns. On a
 * busy machine, processor time varies less than wall-clock time.
 */

const { values: flags } = parseArgs({
  options: {
    case: { type: 'string', default: 'MiniLM, 32 x 32' },
    'base-dtype': { type: 'string', default: 'float32' },
    dropout: { type: 'string', default: '0' },
    pairs: { type: 'string', default: '40' },
  },
});
const cases = benchCases(Number(flags.dropout)).find(([first]) => first!.name === flags.case);
const dtype = BASE_DTYPES.find((name) => name === flags['base-dtype']) as BaseDtype;
if (!cases || !dtype) throw new Error('--case or --base-dtype: no such thing in bench/shapes.ts');
const [adalora, lora] = ['adalora', 'lora'].map((name) => cases.find(({ method }) => method === name));
if (!adalora || !lora) throw new Error(`--case: ${flags.case} has one method only`);

type Taken = { clock: number; processor: number; update: number };

const folder = mkdtempSync(join(tmpdir(), 'adalora-compare-'));
try {
  writeRandomCheckpoint(folder, adalora);
  const open = (of: typeof adalora) =>
    trainingStep({ ...of, folder, dtype, cacheFolder: join(folder, 'cache') });
  const sides = [await open(adalora), await open(lora)];
  const taken: Taken[][] = [[], []];
  for (let i = -3; i < Number(flags.pairs); i++) {
    // The order alternates. Each side starts when the threads of the other are idle.
    for (const side of i % 2 === 0 ? [0, 1] : [1, 0]) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const step = await measured(sides[side]!);
      if (i >= 0) taken[side]!.push(step);
    }
  }
  for (const part of ['clock', 'processor', 'update'] as const) {
    const [ours, theirs] = taken.map((steps) => steps.map((step) => step[part])) as [number[], number[]];
    const ratio = median(ours.map((ms, i) => ms / theirs[i]!));
    const least = Math.min(...ours) / Math.min(...theirs);
    const all = [median(ours), median(theirs)].map((ms) => ms.toFixed(1)).join(' and ');
    console.log(`${part}: ${all} ms, ratio ${ratio.toFixed(3)} (of the least ${least.toFixed(3)})`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

async function measured(step: TrainingStep): Promise<Taken> {
  const before = process.cpuUsage();
  const { engine, update } = await step.run();
  const { user, system } = process.cpuUsage(before);
  return { clock: engine + update, processor: (user + system) / 1000, update };
}
