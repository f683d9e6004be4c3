import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bert } from '../src/models/bert/definition.ts';
import { matmulPeak } from './matmul-peak.ts';
import type { ProductRate } from './product-rate.ts';
import { writeRandomCheckpoint } from './random-checkpoint.ts';
import { type BenchCase, benchCases } from './shapes.ts';
import { startup } from './startup.ts';
import { StepClient } from './step-client.ts';

/*
 * npm run bench -- [--steps 7] [--dropout 0] [--only text] [--json FILE]
 *
 * Training steps side by side with PEFT (where BENCH_PYTHON names a Python that has torch, transformers and peft), one
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

async function measure(benchCase: BenchCase, folder: string): Promise<Row> {
  writeRandomCheckpoint(folder, benchCase);
  const clients = [new StepClient('node', ['--import', 'tsx', join(here, 'step-server.ts')])];
  if (python) clients.push(new StepClient(python, [join(here, 'python', 'peft_step.py')]));
  const { name: _, ...settings } = benchCase;
  const common = {
    op: 'prepare',
    ...settings,
    targets: bert.defaultTargetModules,
    dtype: 'float32',
    threads: 2,
  };
  await clients[0].ask({ ...common, folder });
  await clients[1]?.ask(common);
  const times: number[][] = clients.map(() => []);
  for (let i = -WARM_UP; i < Number(options.steps); i++) {
    for (const [k, client] of clients.entries()) {
      const ms = await client.step();
      if (i >= 0) times[k].push(ms);
    }
  }
  const matmulGflops = await matmulPeak();
  const memories = await Promise.all(clients.map((client) => client.ask({ op: 'memory' })));
  const products = (await clients[0].ask({ op: 'products' })) as unknown as ProductRate;
  const [ours, theirs] = await Promise.all(
    clients.map(async (client, k): Promise<Measured> => {
      await client.exit();
      return { ms: median(times[k]), peakMb: memories[k].peak_mb as number };
    }),
  );
  return {
    case: benchCase,
    adalora: ours,
    ...(theirs && { peft: theirs, speed: theirs.ms / ours.ms, memory: ours.peakMb / theirs.peakMb }),
    matmulGflops,
    products,
  };
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
  for (const benchCase of benchCases(Number(options.dropout))) {
    if (!`${benchCase.name} ${benchCase.method}`.includes(options.only)) continue;
    const row = await measure(benchCase, folder);
    rows.push(row);
    console.log(line(row));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (let i = 0; i + 1 < rows.length; i += 2) {
  const ratio = rows[i].adalora.ms / rows[i + 1].adalora.ms;
  if (rows[i].case.name === rows[i + 1].case.name) {
    console.log(`${rows[i].case.name}: AdaLoRA takes ${ratio.toFixed(3)} of LoRA's time`);
  }
}
const startupMs = startup(5);
console.log(
  startupMs
    ? `command to first step, MiniLM on CoLA: ${median(startupMs).toFixed(0)} ms`
    : 'command to first step: not measured, ../shared is missing',
);
mkdirSync(join(options.json, '..'), { recursive: true });
writeFileSync(options.json, JSON.stringify({ rows, startupMs }, null, 2));
