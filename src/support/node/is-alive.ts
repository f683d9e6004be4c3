import { processStatus } from './process-status.ts';

/**
 * Whether a process with that number runs on this machine. A zombie does not: it has ended, and only its number is
 * left.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !processStatus(pid)?.isZombie;
}
