import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { textFile } from '../../src/input/data/node/text-files.ts';
import { atomicWrite } from '../../src/input/store/node/atomic-write.ts';
import { Client } from '../client.ts';
import { median } from '../median.ts';
import { changeAdapters } from './change-adapters.ts';
import { type BlockResult, type KnownRequest, sendBlock, TOLERANCES } from './load.ts';
import { openService } from './local-service.ts';
import { makeAdapters, makeRequests } from './make-requests.ts';
import { startServer } from './start-server.ts';

/*
 * npm run bench:serve -- [--rounds 5] [--block 2000] [--adapters 32] [--connections 64] [--json FILE]
 *
 * Measures rows per second and response times of `adalora serve` on MiniLM over HTTP. There are three kinds
 * of load: one adapter, all adapters one after another, and all adapters while some are loaded and unloaded. Every
 * round has a block of each, and results are medians over the rounds. Every answer is compared with the
 * adapter's own prediction.
 *
 * Without HTTP, it also measures the same service in this process, and PEFT's batches of mixed adapters
 * (`adapter_names`), if BENCH_PYTHON names a Python with torch, transformers and peft.
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    block: { type: 'string', default: '2000' },
    adapters: { type: 'string', default: '32' },
    connections: { type: 'string', default: '64' },
    json: { type: 'string', default: 'runs/bench-serve.json' },
  },
});
const BASE = resolve('../shared/models/all-MiniLM-L6-v2');
const TEXTS = resolve('../shared/data/glue/CoLA/dev.tsv');
/** Number of texts per adapter. */
const TEXT_COUNT = 20;

const scratch = mkdtempSync(join(tmpdir(), 'adalora-serving-'));
const folder = join(scratch, 'adapters');
const amount = Number(options.block);
const names = makeAdapters(folder, BASE, Number(options.adapters));

interface Side {
  name: string;
  block(): Promise<Omit<BlockResult, 'p50' | 'p99'> & Partial<BlockResult>>;
}

function servedSides(dtype: 'float32' | 'int8', url: string, requests: readonly KnownRequest[]): Side[] {
  const load = { connections: Number(options.connections), amount, tolerance: TOLERANCES[dtype] };
  const single = requests.filter(({ model }) => model === names[0]);
  return [
    { name: `${dtype}, one adapter`, block: () => sendBlock(url, single, load) },
    { name: `${dtype}, ${names.length} mixed`, block: () => sendBlock(url, requests, load) },
    {
      name: `${dtype}, ${names.length} mixed, adapters come and go`,
      async block() {
        const changes = changeAdapters(url, requests, load.tolerance);
        const result = await sendBlock(url, requests, load);
        const { wrong } = await changes.stop();
        return { ...result, wrong: result.wrong + wrong };
      },
    },
  ];
}

const sides: Side[] = [];
const ends: (() => Promise<unknown>)[] = [];
try {
  const lines = textFile(TEXTS).read().split('\n').filter(Boolean).slice(0, TEXT_COUNT);
  const texts = lines.map((line) => line.split('\t')[3]!);
  const requests = await makeRequests(folder, BASE, names, texts);
  for (const dtype of ['float32', 'int8'] as const) {
    const server = await startServer(folder, BASE, ['--base-dtype', dtype]);
    ends.push(server.stop);
    sides.push(...servedSides(dtype, server.url, requests));
    const local = await openService(folder, BASE, dtype);
    ends.push(local.close);
    const load = { amount, tolerance: TOLERANCES[dtype] };
    sides.push({
      name: `${dtype}, ${names.length} mixed, no HTTP`,
      block: () => local.block(requests, load),
    });
  }
  if (process.env.BENCH_PYTHON) {
    const script = join(import.meta.dirname, '..', 'python', 'peft_mixed.py');
    const peft = new Client(process.env.BENCH_PYTHON, [script], { ...process.env, HF_HUB_OFFLINE: '1' });
    ends.push(() => peft.exit());
    const threads = availableParallelism();
    await peft.ask('prepare', {
      model: BASE,
      folder,
      adapters: names,
      data: TEXTS,
      texts: TEXT_COUNT,
      threads,
    });
    for (const mixed of [false, true]) {
      sides.push({
        name: `PEFT float32, ${mixed ? `${names.length} mixed` : 'one adapter'}, no HTTP`,
        async block() {
          const { rows, ms } = await peft.ask<{ rows: number; ms: number }>('predict', {
            mixed,
            rows: amount / 4,
          });
          return { rowsPerSecond: (rows / ms) * 1000, wrong: 0, failed: 0 };
        },
      });
    }
  }
  const results = new Map<string, Partial<BlockResult>[]>(sides.map(({ name }) => [name, []]));
  for (let round = -1; round < Number(options.rounds); round++) {
    for (const { name, block } of sides) {
      const result = await block();
      if (round >= 0) results.get(name)!.push(result);
    }
  }
  atomicWrite(options.json, JSON.stringify({ options, results: Object.fromEntries(results) }, null, 2));
  console.log('| | rows/s | of one adapter | p50 | p99 | wrong | failed |\n|---|---|---|---|---|---|---|');
  let one: number[] = [];
  for (const [name, blocks] of results) {
    const of = (key: keyof BlockResult) => blocks.flatMap((block) => block[key] ?? []);
    const rates = of('rowsPerSecond');
    if (name.includes('one adapter')) one = rates;
    const cells = [
      median(rates).toFixed(0),
      median(rates.map((rate, i) => rate / one[i]!)).toFixed(2),
      ...(['p50', 'p99'] as const).map((key) =>
        of(key).length > 0 ? `${median(of(key)).toFixed(0)} ms` : '',
      ),
      ...(['wrong', 'failed'] as const).map((key) => `${of(key).reduce((a, b) => a + b, 0)}`),
    ];
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
} finally {
  for (const end of ends) await end();
  rmSync(scratch, { recursive: true, force: true });
}
