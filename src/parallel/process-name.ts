import type { Communicator } from './communicator.ts';

/** How messages call a process: `process 3 (node-b)`. */
export function processName({ hosts }: Communicator, rank: number): string {
  return `process ${rank} (${hosts[rank]})`;
}
