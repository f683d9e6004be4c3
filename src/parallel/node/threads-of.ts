import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Communicator } from '../communicator.ts';
import { gatherJson } from '../messages.ts';

/** The processors that one process may use. */
interface Cores {
  count: number;
  /** Their numbers in Linux's list format; empty if unknown. */
  list: string;
}

/**
 * The number of compute threads for this process. Processes of a host that may use the same cores share them equally.
 * Processes with separate cores each use all of their own.
 */
export function threadsOf(communicator: Communicator, cores: Cores = coresOf()): number {
  const { rank, hosts } = communicator;
  const all = gatherJson(communicator, cores);
  const sharing = all.filter(({ list }, i) => hosts[i] === hosts[rank] && list === cores.list).length;
  return Math.max(1, Math.floor(cores.count / sharing));
}

function coresOf(): Cores {
  const count = availableParallelism();
  try {
    const list = readFileSync('/proc/self/status', 'utf8').match(/^Cpus_allowed_list:\s*(.*)$/m)?.[1] ?? '';
    return { count, list };
  } catch {
    return { count, list: '' };
  }
}
