import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { KINDS } from './kinds.ts';
import { WORST_FILES } from './worst-files.ts';

/**
 * npm run fuzz -- --count 20000 --seed 1
 *
 * Reads mutated files of every external kind in child processes with limits. With `--seed worst`, reads the
 * small files that cost their readers most. A read should return a value or a message. Prints how many did,
 * and every other result. If there are other results, the exit code is 1.
 */
const { values } = parseArgs({
  options: { count: { type: 'string' }, seed: { type: 'string', default: '1' } },
});
const { seed } = values;
const isWorst = seed === 'worst';
const count = isWorst ? WORST_FILES.length : Number(values.count ?? 2000);

/**
 * Maximum processor time of a read. Wall-clock time is not limited in the same way, because a busy machine is
 * slow but not broken. SECURITY.md states 10 s for an idle machine; cores that share caches with other work
 * need up to half more. A reader that waits forever uses no processor time, so MAX_WAITED_MS limits that.
 */
const MAX_MS = 15_000;
const MAX_WAITED_MS = 300_000;
const MAX_BYTES = 2 ** 30;
const LOOK_MS = 200;

const ends: Record<string, number> = {};
const found: string[] = [];
const note = (index: number, end: string, message = '') => {
  ends[end] = (ends[end] ?? 0) + 1;
  if (end === 'value' || end === 'refused') return;
  found.push(end);
  const { kind, what } = isWorst
    ? WORST_FILES[index]!
    : { kind: KINDS[index % KINDS.length]!.name, what: 'changed' };
  console.log(`#${index} ${kind}, ${what}: ${end} ${message}`);
};

for (let next = 0; next < count; ) next = await tried(next);
console.log(`seed ${seed}: ${JSON.stringify(ends)}`);
process.exitCode = found.length > 0 ? 1 : 0;

/** Lets a child process try mutations from `from` on. Returns the number after the last mutation that it finished. */
async function tried(from: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'adalora-fuzz-'));
  const child = spawn(
    process.execPath,
    [
      '--expose-gc',
      '--import',
      import.meta.resolve('tsx'),
      new URL('./child.ts', import.meta.url).pathname,
      folder,
      `${seed}`,
      `${from}`,
      `${count}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let next = from;
  let [since, before] = [Date.now(), Number.POSITIVE_INFINITY];
  let killed: string | undefined;
  const kill = (reason: string) => {
    killed ??= reason;
    child.kill('SIGKILL');
  };
  let computed = 0;
  const watch = setInterval(() => {
    // On a busy machine, the child may take minutes to start.
    if (computed !== computedMs(child.pid)) since = Date.now();
    computed = computedMs(child.pid);
    if (computed - before > MAX_MS) kill('over 15 s');
    else if (Date.now() - since > MAX_WAITED_MS) kill('no end');
    else if (memoryOf(child.pid) > MAX_BYTES) kill('over 1 GB');
  }, LOOK_MS);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors = (errors + text).slice(-2000);
  });
  for await (const line of createInterface({ input: child.stdout })) {
    // The child's first line means that everything is loaded.
    const { index, outcome, message } = JSON.parse(line);
    if (index !== undefined) {
      note(index, outcome, message);
      next = index + 1;
    }
    since = Date.now();
    before = computedMs(child.pid);
  }
  clearInterval(watch);
  rmSync(folder, { recursive: true, force: true });
  if (next >= count) return next;
  note(next, killed ?? 'crash', killed ? '' : errors);
  return next + 1;
}

/** A process's processor time in milliseconds; 0 if unknown. */
function computedMs(pid: number | undefined): number {
  try {
    // After the name: hundredths of a second in user mode, and in the kernel.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return 0;
  }
}

/** Resident memory of a process in bytes; 0 if unknown. */
function memoryOf(pid: number | undefined): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return 1024 * Number(kilobytes ?? 0);
  } catch {
    return 0;
  }
}
