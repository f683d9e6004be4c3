import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeMadeAdapter } from '../../tests/support/made-adapter.ts';
import { tinyRows } from '../../tests/support/tiny-data.ts';
import { writeTinyModel } from '../../tests/support/tiny-model.ts';
import { changeAdapters } from './change-adapters.ts';
import { disturbServer } from './disturb-server.ts';
import { sendBlock, TOLERANCES } from './load.ts';
import { makeRequests } from './make-requests.ts';
import { fill, type Replaced, replaceAdapters } from './replace-adapters.ts';
import { startServer } from './start-server.ts';

/*
 * npx tsx bench/serving/endure.ts [--answers 100000] [--minutes N] [--adapters 32] [--replaced 12] [--links
 * 0] [--connections 64]
 *
 * Sends requests to `adalora serve` over a tiny base with adapters of eight methods. Meanwhile, adapters are
 * loaded and unloaded, others are replaced in place by files of equal size and time, damaged, hostile and too large
 * ones come and go, and clients leave before their answer. Each answer is compared with the adapter's own prediction.
 *
 * `--minutes` sets a time instead of a number of answers. `--links` adds links to the adapters. Prints the
 * server's start-up time, memory and open files. The exit code is 1 if an answer was wrong or stale, a bad adapter
 * answered, memory or open files grew by a fifth after the second sample, or the server did not end well.
 */

const { values: options } = parseArgs({
  options: {
    answers: { type: 'string', default: '100000' },
    minutes: { type: 'string' },
    adapters: { type: 'string', default: '32' },
    replaced: { type: 'string', default: '12' },
    links: { type: 'string', default: '0' },
    connections: { type: 'string', default: '64' },
  },
});
const METHODS = [
  ...(['lora', 'adalora', 'svd_lora', 'prune_lora'] as const),
  ...(['bitfit', 'houlsby', 'pfeiffer'] as const),
];
const TEXT_COUNT = 20;
/** Number of answers between two progress lines. */
const BLOCK = 5_000;

const scratch = mkdtempSync(join(tmpdir(), 'adalora-endure-'));
const [base, folder] = ['model', 'adapters'].map((name) => join(scratch, name)) as [string, string];
try {
  writeTinyModel(base);
  const names = Array.from({ length: Number(options.adapters) }, (_, seed) => `adapter-${seed}`);
  for (const [seed, name] of names.entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    writeMadeAdapter(join(folder, name), base, {
      seed,
      method: METHODS[seed % METHODS.length],
      rank: 1 + (seed % 8),
    });
  }
  for (let i = 0; i < Number(options.links); i++)
    symlinkSync(join(folder, names[i % names.length]!), join(folder, `link-${i}`));
  // Each of these adapters has two states, which are stored in other folders.
  const changing = Array.from({ length: Number(options.replaced) }, (_, i) => `changing-${i}`);
  const stateOf = (name: string, state: number) => `${name}-${state}`;
  for (const [i, name] of changing.entries())
    for (const state of [0, 1]) {
      const place = join(scratch, 'states', stateOf(name, state));
      mkdirSync(place, { recursive: true });
      const method = METHODS[i % METHODS.length];
      writeMadeAdapter(place, base, { seed: 1000 + 2 * i + state, method, rank: 1 + (i % 8) });
    }
  const texts = tinyRows(TEXT_COUNT, 1).map(({ text }) => text);
  const requests = await makeRequests(folder, base, names, texts);
  const states = await Promise.all(
    [0, 1].map((state) =>
      makeRequests(
        join(scratch, 'states'),
        base,
        changing.map((name) => stateOf(name, state)),
        texts,
      ),
    ),
  );
  const replaced = changing.map((model, i): Replaced => {
    const [first, second] = states.map((all) => ({ ...all[i]!, model }));
    const folders = [0, 1].map((state) => join(scratch, 'states', stateOf(model, state)));
    return {
      folder: join(folder, model),
      states: folders as [string, string],
      requests: [first!, second!],
    };
  });
  for (const one of replaced) fill(one, 0);
  // Requests also go to links. Their answers are those of the linked adapters.
  const all = requests.flatMap((request, i) => {
    const links = Math.floor(Number(options.links) / names.length);
    const link = (i % names.length) + names.length * (i % Math.max(links, 1));
    return links > 0 ? [request, { ...request, model: `link-${link}` }] : [request];
  });
  for (const [at, request] of states[0]!.entries())
    all.push({ ...request, model: changing[at % changing.length]!, or: states[1]![at]!.expected });

  const startedAt = performance.now();
  const server = await startServer(folder, base);
  try {
    console.log(`up after ${seconds(startedAt)} s with ${server.memoryMb().toFixed(0)} MB`);
    const tolerance = TOLERANCES.float32;
    const passing = changeAdapters(server.url, requests, tolerance);
    const replacing = replaceAdapters(replaced);
    const { model, text } = requests[0]!;
    const disturbing = disturbServer(server.url, folder, { folder: join(folder, model), model, text });
    const looks: { memory: number; files: number }[] = [];
    const until = options.minutes && startedAt + 60_000 * Number(options.minutes);
    const isOver = () => (until ? performance.now() >= until : answers >= Number(options.answers));
    let [answers, wrong, failed] = [0, 0, 0];
    while (!isOver()) {
      const amount = until ? BLOCK : Math.min(BLOCK, Number(options.answers) - answers);
      const block = await sendBlock(server.url, all, {
        connections: Number(options.connections),
        amount,
        tolerance,
      });
      answers += amount;
      wrong += block.wrong;
      failed += block.failed;
      const look = { memory: server.memoryMb(), files: server.descriptors() };
      looks.push(look);
      console.log(
        `${answers} answers after ${seconds(startedAt)} s: ${wrong} wrong, ${failed} failed, ${look.memory.toFixed(0)} MB, ${look.files} files`,
      );
    }
    const passed = await passing.stop();
    console.log(`${passed.changes} changes meanwhile, ${passed.wrong} wrong answers of those that passed`);
    const { replaced: times, stale } = await replacing.stop(server.url, tolerance);
    console.log(`${times} adapters replaced in place, ${stale} that do not answer as their files say`);
    const { bad, answering, left } = await disturbing.stop();
    console.log(`${bad} bad adapters (${answering} answered), and ${left} clients that left`);
    const [second, last] = [looks[1] ?? looks[0], looks.at(-1)!];
    const grown = [last.memory / second!.memory, last.files / second!.files];
    console.log(`memory ${grown[0]!.toFixed(2)}, files ${grown[1]!.toFixed(2)} times the second look`);
    const stoppingAt = performance.now();
    const code = await server.stop();
    console.log(`ended with ${code} after ${seconds(stoppingAt)} s`);
    const errors = wrong + failed + passed.wrong + stale + answering;
    if (errors > 0 || code !== 0 || grown.some((times) => times > 1.2)) process.exitCode = 1;
  } finally {
    await server.stop();
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
