import { readFileSync, readlinkSync } from 'node:fs';

/**
 * The peak resident memory of this process, in MB. On Linux it is read from the kernel, because getrusage starts there
 * from the parent's size.
 */
export function peakMemoryMb(): number {
  const kilobytes = process.platform === 'linux' ? highWaterMark() : undefined;
  return Math.round((kilobytes ?? process.resourceUsage().maxRSS) / 1024);
}

function highWaterMark(): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes);
  } catch {
    return undefined; // Some sandboxes have no /proc.
  }
}

/** The package's version. */
export function programVersion(): string {
  return JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')).version;
}

/**
 * The variable with the process number of a parent. The parent keeps this process's standard input open while it runs.
 */
const PARENT_VARIABLE = 'ADALORA_PARENT';

/** Returns the environment for a child that must end with this process. See {@link parentProcess}. */
export function withParent(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, [PARENT_VARIABLE]: `${process.pid}` };
}

/** The process number of the parent with which this process must end; undefined for a process that the user started. */
export function parentProcess(): number | undefined {
  const number = Number(process.env[PARENT_VARIABLE]);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** Linux's status of a process. */
interface ProcessStatus {
  /** Whether it has ended but still has its number, because its parent has not collected it. */
  isZombie: boolean;
  parent: number;
  /**
   * Clock ticks from the machine's boot to the process's start. They distinguish processes that had the same number.
   */
  started: string;
}

/**
 * The status of a process. Undefined if it does not run or the system is not Linux. Also undefined if /proc shows
 * another pid namespace, in which the number belongs to another process. `unshare --pid` without `--mount-proc` causes
 * that.
 */
export function processStatus(pid: number): ProcessStatus | undefined {
  try {
    const isOurs = readlinkSync('/proc/self') === String(process.pid);
    if (!isOurs && pid !== process.pid) return undefined;
    const stat = readFileSync(`/proc/${isOurs ? pid : 'self'}/stat`, 'utf8');
    // The second field is the name in parentheses, which may contain any character.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { isZombie: fields[0] === 'Z', parent: Number(fields[1]), started: fields[19]! };
  } catch {
    return undefined;
  }
}
