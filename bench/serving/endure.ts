import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeMadeAdapter } from '../../tests/support/made-adapter.ts';
import { tinyRows } from '../../tests/support/tiny-data.ts';
import { writeTinyModel } from '../../tests/support/tiny-model.ts';
import { changeAdapters } from './change-adapters.ts';
import { sendBlock, TOLERANCES } from './load.ts';
import { makeRequests } from './make-requests.ts';
import { startServer } from './start-server.ts';

/*
 * npx tsx bench/serving/endure.ts [--answers 100000] [--adapters 32] [--links 0] [--connections 64]
 *
 * Asks `adalora serve` over a tiny base for answers of adapters of six methods, while adapters are loaded and unloaded,
 * and compares each with what the adapter predicts by itself. `--links` puts so many more adapters beside them, which are
 * links to those. Tells how long the server took to start and its memory; ends with 1 where an answer was wrong.
 */

const { values: options } = parseArgs({
  options: {
    answers: { type: 'string', default: '100000' },
    adapters: { type: 'string', default: '32' },
    links: { type: 'string', default: '0' },
    connections: { type: 'string', default: '64' },
  },
});
const METHODS = ['lora', 'adalora', 'svd_lora', 'bitfit', 'houlsby', 'pfeiffer'] as const;
const TEXT_COUNT = 20;
/** Answers between two lines of what has been so far. */
const BLOCK = 10_000;

const scratch = mkdtempSync(join(tmpdir(), 'adalora-endure-'));
const [base, folder] = ['model', 'adapters'].map((name) => join(scratch, name));
try {
  writeTinyModel(base);
  const names = Array.from({ length: Number(options.adapters) }, (_, seed) => `adapter-${seed}`);
  for (const [seed, name] of names.entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    writeMadeAdapter(join(folder, name), base, {
      ...{ seed, method: METHODS[seed % METHODS.length], rank: 1 + (seed % 8) },
    });
  }
  for (let i = 0; i < Number(options.links); i++)
    symlinkSync(join(folder, names[i % names.length]), join(folder, `link-${i}`));
  const texts = tinyRows(TEXT_COUNT, 1).map(({ text }) => text);
  const requests = await makeRequests(folder, base, names, texts);
  // Links are asked too, each for what its adapter answers.
  const all = requests.flatMap((request, i) => {
    const links = Math.floor(Number(options.links) / names.length);
    const link = (i % names.length) + names.length * (i % Math.max(links, 1));
    return links > 0 ? [request, { ...request, model: `link-${link}` }] : [request];
  });

  const began = performance.now();
  const server = await startServer(folder, base);
  try {
    console.log(`up after ${seconds(began)} s with ${server.memoryMb().toFixed(0)} MB`);
    const tolerance = TOLERANCES.float32;
    const passing = changeAdapters(server.url, requests, tolerance);
    let [answers, wrong, failed] = [0, 0, 0];
    while (answers < Number(options.answers)) {
      const amount = Math.min(BLOCK, Number(options.answers) - answers);
      const block = await sendBlock(server.url, all, {
        ...{ connections: Number(options.connections), amount, tolerance },
      });
      answers += amount;
      wrong += block.wrong;
      failed += block.failed;
      const memory = server.memoryMb().toFixed(0);
      console.log(
        `${answers} answers after ${seconds(began)} s: ${wrong} wrong, ${failed} failed, ${memory} MB`,
      );
    }
    const passed = await passing.stop();
    console.log(`${passed.changes} changes meanwhile, ${passed.wrong} wrong answers of those that passed`);
    if (wrong + failed + passed.wrong > 0) process.exitCode = 1;
  } finally {
    await server.stop();
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
