import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Measures the largest memory of a page in megabytes, twice per second, until it is stopped. */
export function watchMemory(): { peak(): number; stop(): void } {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, largestRenderer());
  }, 500);
  return { peak: () => peak, stop: () => clearInterval(timer) };
}

/**
 * The memory of the largest process that shows a page, in megabytes, among those that this one started. Shared memory is
 * divided among its users.
 */
function largestRenderer(): number {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n');
  const processes = new Map(
    lines.map((line) => {
      const [, id, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)!;
      return [Number(id), { parent: Number(parent), command: command! }];
    }),
  );
  const isOurs = (id: number): boolean =>
    id === process.pid || (processes.has(id) && isOurs(processes.get(id)!.parent));
  const sizes = [...processes].map(([id, { command }]) => {
    // Some builds of Chromium leave the name of the process that a renderer was forked from.
    if (!/type=(renderer|zygote)/.test(command) || !isOurs(id)) return 0;
    try {
      return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      // It has ended.
      return 0;
    }
  });
  return Math.round(Math.max(...sizes) / 1000);
}
