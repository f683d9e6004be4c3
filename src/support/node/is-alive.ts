import { processStatus } from './process-status.ts';

/**
 * Whether a process with this number runs on this machine. A zombie does not count: it has ended and only keeps its
 * number.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !processStatus(pid)?.isZombie;
}
