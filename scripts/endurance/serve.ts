import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Random } from '../../src/support/random.ts';
import { writeMadeAdapter } from '../../tests/support/made-adapter.ts';
import { tinyRows } from '../../tests/support/tiny-data.ts';
import { writeTinyTextModel } from '../../tests/support/tiny-text-model.ts';
import { Workspace } from '../../tests/support/workspace.ts';

/*
 * npx tsx scripts/endurance/serve.ts [--minutes 120] [--clients 4] [--seed 1] [--generates] (build first)
 *
 * Runs `adalora serve` under load while adapters come, change and go: some of them are damaged, hostile or too large, and
 * some clients leave early. Every answer of an adapter must be the adapter's first answer to that text, up to rounding.
 * Prints the server's memory. The exit code is 1 for a wrong answer, memory that grew by a fifth after the second look,
 * or a server that does not end on SIGTERM.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '120' },
    clients: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    generates: { type: 'boolean', default: false },
  },
});
const PROGRAM = new URL('../../dist/cli/main.js', import.meta.url).pathname;
const STAYING = 6;
const TEXTS = tinyRows(12, 5).map(({ text }) => text);
const METHODS = ['lora', 'adalora', 'svd_lora', 'bitfit', 'houlsby', 'pfeiffer'] as const;

const workspace = new Workspace();
const random = new Random(Number(values.seed), 'serve');
const adapters = workspace.path('adapters');
const counts = { answers: 0, wrong: 0, absent: 0, busy: 0, left: 0, changes: 0, refused: 0, loaded: 0 };
const problems: string[] = [];
const known = new Map<string, number[]>();
/** The number of the adapter that now has a name, for names that change. */
const generation = new Map<string, number>();
const base = workspace.path(values.generates ? 'decoder' : 'model');
let made = 0;

try {
  if (values.generates) writeTinyTextModel(base, 'llama');
  mkdirSync(adapters, { recursive: true });
  for (let i = 0; i < STAYING; i++) make(`stays-${i}`, i);
  const { server, url } = await started();
  const end = performance.now() + 60_000 * Number(values.minutes);
  const isOver = () => performance.now() > end || server.exitCode !== null;
  const looks: number[] = [];
  const looking = (async () => {
    const every = Math.max(60_000, (60_000 * Number(values.minutes)) / 24);
    for (; !isOver(); await setTimeout(Math.min(every, Math.max(0, end - performance.now()))))
      looks.push(memoryOf(server));
  })();
  const clients = Array.from({ length: Number(values.clients) }, () => client(url, isOver));
  await Promise.all([changing(isOver), looking, ...clients]);
  looks.push(memoryOf(server));
  const stopping = performance.now();
  server.kill('SIGTERM');
  if (server.exitCode === null) await once(server, 'exit');
  const seconds = ((performance.now() - stopping) / 1000).toFixed(1);
  console.log(
    JSON.stringify({ ...counts, code: server.exitCode, seconds, growth: looks.at(-1)! / looks[1]! }),
  );
  for (const problem of problems.slice(0, 20)) console.log(problem);
  process.exitCode = Number(counts.wrong > 0 || server.exitCode !== 0 || looks.at(-1)! > 1.2 * looks[1]!);
} finally {
  workspace.remove();
}

async function started(): Promise<{ server: ChildProcess; url: string }> {
  const args = [PROGRAM, 'serve', adapters, '--model', base, '--port', '0', '--slots', '4'];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let listening = (_: string) => {};
  const url = new Promise<string>((resolve) => {
    listening = resolve;
  });
  createInterface({ input: server.stdout! }).on('line', (line) => {
    const { event, url } = JSON.parse(line);
    if (event === 'listening') listening(url);
    if (event === 'refused') counts.refused++;
    if (event === 'loaded' || event === 'reloaded') counts.loaded++;
  });
  return { server, url: await url };
}

function make(name: string, seed: number, rank = 1 + (seed % 5)): void {
  const folder = workspace.path('made', `${made++}`);
  mkdirSync(folder, { recursive: true });
  const language = { task: 'causal_lm', labels: [], data: {} } as const;
  const method = values.generates ? METHODS[seed % 3]! : METHODS[seed % METHODS.length]!;
  const targets = values.generates ? ['q_proj', 'v_proj', 'down_proj'] : undefined;
  writeMadeAdapter(folder, base, { seed, rank, method, targets, ...(values.generates && language) });
  rmSync(join(adapters, name), { recursive: true, force: true });
  renameSync(folder, join(adapters, name));
}

/** Changes the folder every second. */
async function changing(isOver: () => boolean): Promise<void> {
  for (let i = 0; !isOver(); i++) {
    const name = `changes-${random.integer(8)}`;
    const folder = join(adapters, name);
    counts.changes++;
    generation.set(name, (generation.get(name) ?? 0) + 1);
    const kind = random.integer(8);
    if (kind < 4) make(name, 10 + random.integer(50), random.integer(12) === 0 ? 64 : undefined);
    else if (kind < 6) rmSync(folder, { recursive: true, force: true });
    else {
      const bad = workspace.path(`bad-${i}`);
      cpSync(join(adapters, 'stays-0'), bad, { recursive: true });
      spoil(bad, random.integer(4));
      rmSync(folder, { recursive: true, force: true });
      renameSync(bad, folder);
    }
    await setTimeout(1000);
  }
}

function spoil(folder: string, how: number): void {
  const config = join(folder, 'adapter_config.json');
  const tensors = join(folder, 'adapter_model.safetensors');
  const pattern = (rank_pattern: object) =>
    writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), rank_pattern }));
  if (how === 0) truncateSync(tensors, 1000);
  if (how === 1) truncateSync(tensors, 2 ** 33);
  if (how === 2)
    pattern(Object.fromEntries(Array.from({ length: 500 }, (_, k) => [`(?:(?:[a-z.]?){50}){50}${k}!`, 1])));
  if (how === 3) writeFileSync(config, '{');
}

async function client(url: string, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const stays = random.integer(3) > 0;
    const name = stays ? `stays-${random.integer(STAYING)}` : `changes-${random.integer(8)}`;
    const text = random.integer(TEXTS.length);
    const leaves = random.integer(20) === 0;
    const before = generation.get(name);
    try {
      const answer = await ask(url, name, TEXTS[text]!, leaves ? AbortSignal.timeout(3) : undefined);
      if (answer && (stays || generation.get(name) === before))
        check(`${name} ${stays}`, stays, text, answer);
    } catch (error) {
      if (leaves) counts.left++;
      else if (!isOver()) problem(`${name}: ${error}`);
    }
    await setTimeout(random.integer(60));
  }
}

async function ask(
  url: string,
  model: string,
  text: string,
  signal?: AbortSignal,
): Promise<number[] | undefined> {
  const [path, body] = values.generates
    ? ['v1/completions', { model, prompt: text, max_tokens: 8, temperature: 0 }]
    : ['predict', { model, inputs: text }];
  const response = await fetch(`${url}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  });
  const answer = await response.json();
  if (response.status === 404) counts.absent++;
  else if (response.status === 503) counts.busy++;
  else if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(answer)}`);
  else {
    counts.answers++;
    return values.generates
      ? [...answer.choices[0].text].map((character: string) => character.codePointAt(0)!)
      : answer
          .toSorted((a: { label: string }, b: { label: string }) => (a.label < b.label ? -1 : 1))
          .map(({ score }: { score: number }) => score);
  }
  return undefined;
}

/** Adapters that change have other answers each time, which only must be finite. */
function check(name: string, stays: boolean, text: number, answer: number[]): void {
  if (answer.some((value) => !Number.isFinite(value))) problem(`${name}: ${answer}`);
  if (!stays) return;
  const key = `${name} ${text}`;
  const first = known.get(key) ?? answer;
  known.set(key, first);
  const isSame =
    first.length === answer.length && first.every((value, i) => Math.abs(value - answer[i]!) < 2e-5);
  if (!isSame) problem(`${key}: ${answer} instead of ${first}`);
}

function problem(what: string): void {
  counts.wrong++;
  problems.push(what);
}

function memoryOf({ pid }: ChildProcess): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  const mb = Number(kilobytes) / 1024;
  console.log(`${new Date().toISOString()} ${mb.toFixed(0)} MB ${JSON.stringify(counts)}`);
  return mb;
}
