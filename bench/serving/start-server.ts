import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

export interface StartedServer {
  url: string;
  /** The server's current memory in MB, and the most that it has had. */
  memoryMb(): number;
  peakMemoryMb(): number;
  /** The server's number of open files, pipes and connections. */
  descriptors(): number;
  /** Returns the exit code, or null if a signal ended it. */
  stop(): Promise<number | null>;
}

const PROGRAM = resolve('dist/cli/main.js');

/**
 * Starts `adalora serve` for the adapters in a folder, with loading and unloading enabled. Waits until it
 * listens.
 */
export async function startServer(
  folder: string,
  base: string,
  flags: readonly string[] = [],
): Promise<StartedServer> {
  const args = ['serve', folder, '--model', base, '--port', '0', '--allow-loading', ...flags];
  const child = spawn('node', [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill());
  // All lines must be read, because a full pipe would block the server.
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((done, fail) => {
    lines.on('line', (line) => {
      if (line.includes('"listening"')) done(JSON.parse(line).url);
    });
    lines.on('close', () => fail(new Error('the server has ended')));
  });
  const memory = (what: 'VmRSS' | 'VmHWM') => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    const [, kilobytes] = status.match(new RegExp(`${what}:\\s+(\\d+)`)) ?? [];
    return Number(kilobytes) / 1024;
  };
  return {
    url,
    memoryMb: () => memory('VmRSS'),
    peakMemoryMb: () => memory('VmHWM'),
    descriptors: () => readdirSync(`/proc/${child.pid}/fd`).length,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill();
        await once(child, 'exit');
      }
      return child.exitCode;
    },
  };
}
