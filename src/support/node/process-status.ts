import { readFileSync, readlinkSync } from 'node:fs';

/** What Linux knows of a process. */
export interface ProcessStatus {
  /** Whether it has ended, and its parent has not looked at it yet: then it still has its number. */
  isZombie: boolean;
  parent: number;
  /** Ticks from the machine's start to its own. They tell it from others that had its number. */
  started: string;
}

/**
 * The status of a process; undefined if it does not run, or the system is not Linux. Also undefined if /proc shows another
 * pid namespace than ours, where the same number is another process: `unshare --pid` without `--mount-proc` leaves it so.
 */
export function processStatus(pid: number): ProcessStatus | undefined {
  try {
    const isOurs = readlinkSync('/proc/self') === String(process.pid);
    if (!isOurs && pid !== process.pid) return undefined;
    const stat = readFileSync(`/proc/${isOurs ? pid : 'self'}/stat`, 'utf8');
    // The name, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { isZombie: fields[0] === 'Z', parent: Number(fields[1]), started: fields[19] };
  } catch {
    return undefined;
  }
}
