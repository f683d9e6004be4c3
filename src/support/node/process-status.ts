import { readFileSync, readlinkSync } from 'node:fs';

/** Linux's record of a process. */
export interface ProcessStatus {
  /** Whether it has ended but its parent has not collected it yet: its number is still in use. */
  isZombie: boolean;
  parent: number;
  /**
   * Clock ticks from the machine's boot to the process's start. It distinguishes processes that had the same number.
   */
  started: string;
}

/**
 * The status of a process; undefined if it does not run, or the system is not Linux. Also undefined if /proc shows
 * another pid namespace than ours, where the same number is another process: `unshare --pid` without `--mount-proc`
 * does that.
 */
export function processStatus(pid: number): ProcessStatus | undefined {
  try {
    const isOurs = readlinkSync('/proc/self') === String(process.pid);
    if (!isOurs && pid !== process.pid) return undefined;
    const stat = readFileSync(`/proc/${isOurs ? pid : 'self'}/stat`, 'utf8');
    // The name, in parentheses, may contain any character.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { isZombie: fields[0] === 'Z', parent: Number(fields[1]), started: fields[19] };
  } catch {
    return undefined;
  }
}
