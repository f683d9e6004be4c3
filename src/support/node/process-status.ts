import { readFileSync } from 'node:fs';

/** What Linux knows of a process. */
export interface ProcessStatus {
  /** Whether it has ended, and its parent has not looked at it yet: then it still has its number. */
  isZombie: boolean;
  parent: number;
  /** What tells it from others that had its number: the machine's start and its own. */
  started: string;
}

/** The status of a process of this machine; undefined where there is none, or the system is not Linux. */
export function processStatus(pid: number): ProcessStatus | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { isZombie: fields[0] === 'Z', parent: Number(fields[1]), started: `${boot} ${fields[19]}` };
  } catch {
    return undefined;
  }
}
