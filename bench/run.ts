import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { modelFamily } from '../src/models/registry.ts';
import { matmulPeak } from './matmul-peak.ts';
import type { ProductRate } from './product-rate.ts';
import { writeRandomCheckpoint } from './random-checkpoint.ts';
import { type BenchCase, benchCases } from './shapes.ts';
import { startup } from './startup.ts';
import { StepClient } from './step-client.ts';

/*
 * npm run bench -- [--steps 7] [--dropout 0] [--only text] [--json FILE]
 *
 * Training steps of AdaLoRA and LoRA side by side with PEFT's (where BENCH_PYTHON names a Python that has torch, transformers and peft), one
 * step each in turn, medians. The table goes to standard output, the figures as JSON to FILE.
 */

const { values: options } = parseArgs({
  options: {
    steps: { type: 'string', default: '7' },
    dropout: { type: 'string', default: '0' },
    only: { type: 'string', default: '' },
    json: { type: 'string', default: 'runs/bench.json' },
  },
});
const python = process.env.BENCH_PYTHON;
const WARM_UP = 2;

interface Measured {
  ms: number;
  peakMb: number;
}

interface Row {
  case: BenchCase;
  adalora: Measured;
  peft?: Measured;
  /** PEFT's time over ours, and our memory over PEFT's. */
  speed?: number;
  memory?: number;
  /** The engine's product of 4096 x 768 x 3072, the machine's peak. */
  matmulGflops: number;
  products: ProductRate;
}

const here = import.meta.dirname;
/** Our side runs compiled, as users run it: a loader that compiles on the way takes memory of its own. */
const BUILD = 'runs/bench-build';

/** All methods of one size at once, ours and PEFT's, a step each in turn. */
async function measure(cases: readonly BenchCase[], folder: string): Promise<Row[]> {
  writeRandomCheckpoint(folder, cases[0]);
  const rivals = await Promise.all(cases.map((benchCase) => prepare(benchCase, folder)));
  const clients = rivals.flatMap(({ ours, theirs }) => (theirs ? [ours, theirs] : [ours]));
  const times = new Map<StepClient, number[]>(clients.map((client) => [client, []]));
  for (let i = -WARM_UP; i < Number(options.steps); i++) {
    for (const client of clients) {
      const ms = await client.step();
      if (i >= 0) times.get(client)?.push(ms);
    }
  }
  const matmulGflops = await matmulPeak();
  const measured = async (client: StepClient): Promise<Measured> => {
    const { peak_mb } = await client.ask({ op: 'memory' });
    return { ms: median(times.get(client) as number[]), peakMb: peak_mb as number };
  };
  const rows: Row[] = [];
  for (const [i, { ours, theirs }] of rivals.entries()) {
    const adalora = await measured(ours);
    const peft = theirs && (await measured(theirs));
    rows.push({
      case: cases[i],
      adalora,
      ...(peft && { peft, speed: peft.ms / adalora.ms, memory: adalora.peakMb / peft.peakMb }),
      matmulGflops,
      products: (await ours.ask({ op: 'products' })) as unknown as ProductRate,
    });
  }
  await Promise.all(clients.map((client) => client.exit()));
  return rows;
}

async function prepare(benchCase: BenchCase, folder: string) {
  const { name: _, ...settings } = benchCase;
  const common = {
    op: 'prepare',
    ...settings,
    targets: modelFamily(benchCase, benchCase.name).targetModules.adalora,
    dtype: 'float32',
    threads: 2,
  };
  const ours = new StepClient('node', [join(BUILD, 'bench', 'step-server.js')]);
  await ours.ask({ ...common, folder });
  const theirs = python ? new StepClient(python, [join(here, 'python', 'peft_step.py')]) : undefined;
  await theirs?.ask(common);
  return { ours, theirs };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function line({ case: { name, method }, adalora, peft, speed, memory, matmulGflops, products }: Row): string {
  const ours = [`${adalora.ms.toFixed(0)} ms`, `${adalora.peakMb.toFixed(0)} MB`];
  const theirs = peft
    ? [
        `${peft.ms.toFixed(0)} ms`,
        `${peft.peakMb.toFixed(0)} MB`,
        `${speed?.toFixed(2)}x`,
        `${memory?.toFixed(2)}`,
      ]
    : [];
  const rate = (gflops: number) => `${gflops.toFixed(0)} GF/s`;
  const cells = [...ours, ...theirs, rate(products.largeGflops), rate(matmulGflops)];
  return `${name.padEnd(26)}${method.padEnd(9)}${cells.map((cell) => cell.padStart(11)).join('')}`;
}

const folder = mkdtempSync(join(tmpdir(), 'adalora-bench-'));
const rows: Row[] = [];
const heads = [
  'step',
  'memory',
  ...(python ? ['PEFT step', 'PEFT mem.', 'speed', 'memory'] : []),
  'products',
  'peak rate',
];
console.log(`${''.padEnd(35)}${heads.map((head) => head.padStart(11)).join('')}`);
try {
  execFileSync('npx', ['tsc', '-p', 'tsconfig.bench.json'], { stdio: 'inherit' });
  for (const cases of benchCases(Number(options.dropout))) {
    if (!cases[0].name.includes(options.only)) continue;
    const measured = await measure(cases, folder);
    rows.push(...measured);
    for (const row of measured) console.log(line(row));
    const [adalora, lora] = measured.map((row) => row.adalora.ms);
    if (lora) console.log(`${cases[0].name}: AdaLoRA takes ${(adalora / lora).toFixed(3)} of LoRA's time`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const startupMs = options.only ? undefined : startup(5);
if (startupMs) console.log(`command to first step, MiniLM on CoLA: ${median(startupMs).toFixed(0)} ms`);
else if (!options.only) console.log('command to first step: not measured, ../shared is missing');
mkdirSync(join(options.json, '..'), { recursive: true });
writeFileSync(options.json, JSON.stringify({ rows, startupMs }, null, 2));
