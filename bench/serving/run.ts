import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { atomicWrite } from '../../src/formats/node/atomic-write.ts';
import { Client } from '../client.ts';
import { median } from '../median.ts';
import { type BlockResult, type KnownRequest, sendBlock, TOLERANCES } from './load.ts';
import { makeAdapters, makeRequests } from './make-requests.ts';

/*
 * npm run bench:serve -- [--rounds 5] [--block 2000] [--adapters 32] [--connections 64] [--json FILE]
 *
 * Rows a second and times of answers of `adalora serve` on MiniLM, over HTTP: all rows for one adapter, rows for all
 * adapters in turn, and the same while adapters come and go; a block of each in turn, medians over the rounds. Every
 * answer is compared with that of its adapter alone. Beside it PEFT's batches of mixed adapters (`adapter_names`), without
 * HTTP, where BENCH_PYTHON names a Python that has torch, transformers and peft.
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
const PROGRAM = resolve('dist/cli/main.js');
/** Texts that each adapter is asked. */
const TEXT_COUNT = 20;
/** Between two changes of the adapters, in milliseconds. */
const CHANGE_MS = 100;

const scratch = mkdtempSync(join(tmpdir(), 'adalora-serving-'));
const folder = join(scratch, 'adapters');
const amount = Number(options.block);
const names = makeAdapters(folder, BASE, Number(options.adapters));

interface Side {
  name: string;
  block(): Promise<Omit<BlockResult, 'p50' | 'p99'> & Partial<BlockResult>>;
}

async function startServer(dtype: 'float32' | 'int8'): Promise<{ url: string; process: ChildProcess }> {
  const args = ['serve', folder, '--model', BASE, '--port', '0', '--base-dtype', dtype, '--allow-loading'];
  const child = spawn('node', [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  // Lines are read to the end, or the pipe would fill.
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((done, fail) => {
    lines.on('line', (line) => {
      const { event, url } = JSON.parse(line);
      if (event === 'listening') done(url);
    });
    lines.on('close', () => fail(new Error('the server has ended')));
  });
  return { url, process: child };
}

/** Loads and unloads a copy of an adapter under other names, until it is stopped. */
function changeAdapters(url: string): () => Promise<number> {
  let [isStopped, changes] = [false, 0];
  const post = (what: string, body: object) =>
    fetch(`${url}/v1/${what}_lora_adapter`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const work = (async () => {
    for (let i = 0; !isStopped; i++) {
      const lora_name = `passing-${i}`;
      await post('load', { lora_name, lora_path: names[i % names.length] });
      await fetch(`${url}/predict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ inputs: 'Here and gone.', model: lora_name }),
      });
      await post('unload', { lora_name });
      changes += 2;
      await new Promise((done) => setTimeout(done, CHANGE_MS));
    }
  })();
  return async () => {
    isStopped = true;
    await work;
    return changes;
  };
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
        const stop = changeAdapters(url);
        const result = await sendBlock(url, requests, load);
        await stop();
        return result;
      },
    },
  ];
}

const sides: Side[] = [];
const ends: (() => Promise<unknown>)[] = [];
try {
  const requests = await makeRequests(folder, BASE, names, TEXTS, TEXT_COUNT);
  for (const dtype of ['float32', 'int8'] as const) {
    const server = await startServer(dtype);
    ends.push(async () => {
      server.process.kill();
      await once(server.process, 'exit');
    });
    sides.push(...servedSides(dtype, server.url, requests));
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
      median(rates.map((rate, i) => rate / one[i])).toFixed(2),
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
