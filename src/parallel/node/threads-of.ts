import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Communicator } from '../communicator.ts';
import { gatherJson } from '../messages.ts';

/** The processors that one process may use. */
interface Cores {
  count: number;
  /** Which they are, as Linux lists them; empty where that is not known. */
  list: string;
}

/**
 * How many threads compute in this process: those of its cores that fall to it. Processes of a host to which the launcher
 * has given the same cores share them; to which it has given each its own have these.
 */
export function threadsOf(communicator: Communicator, own: Cores = coresOf()): number {
  const { rank, hosts } = communicator;
  const all = gatherJson(communicator, own);
  const sharing = all.filter(({ list }, i) => hosts[i] === hosts[rank] && list === own.list).length;
  return Math.max(1, Math.floor(own.count / sharing));
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
