import type { Communicator } from './communicator.ts';

/** The name of a process in messages: `process 3 (node-b)`. */
export function processName({ hosts }: Communicator, rank: number): string {
  return `process ${rank} (${hosts[rank]})`;
}
