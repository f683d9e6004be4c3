import { processStatus } from './process-status.ts';

/** Whether a process of that number runs on this machine; one that has ended does not, though its parent leave it a number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !processStatus(pid)?.isZombie;
}
