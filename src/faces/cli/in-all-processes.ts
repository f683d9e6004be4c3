import { setTimeout } from 'node:timers/promises';
import { isAgreed, type Processes } from '../../program/parallel/communicator.ts';
import { fromFirst } from '../../program/parallel/from-first.ts';
import { UserError } from '../../support/user-error.ts';

/**
 * Runs a command's work in all processes started by mpirun, mpiexec or srun. The processes share the
 * computation; only the first prints and writes.
 */
export async function inAllProcesses(work: (processes: Processes) => Promise<void>): Promise<void> {
  const { readLaunch, readyForMpi } = await import('../../program/parallel/launch.ts');
  const { joinProcesses } = await import('../../program/parallel/node/join-processes.ts');
  readyForMpi(process.env);
  const rank = readLaunch(process.env)?.rank ?? 0;
  const { log, error: complain } = console;
  if (rank > 0) console.log = console.error = () => {};
  try {
    const processes = await joinProcesses();
    await work(processes);
    processes.leave();
  } catch (error) {
    if (rank === 0) throw error;
    await failQuietly(error, rank);
  } finally {
    Object.assign(console, { log, error: complain });
  }
}

/** Reads standard input in the first process, for all. */
export async function readShared({ communicator }: Processes): Promise<string> {
  const { readInput } = await import('./standard-input.ts');
  return fromFirst(communicator, readInput);
}

/** How long other processes wait for process 0 to report an error that all processes have, in milliseconds. */
const FIRST_MS = 3000;

/** Handles the failure of a process other than the first. Reports the error unless the first process has the same. */
export async function failQuietly(error: unknown, rank: number): Promise<void> {
  if (isAgreed(error)) return;
  await setTimeout(FIRST_MS);
  const named = `process ${rank}: ${(error as Error).message}`;
  throw error instanceof UserError ? new UserError(named) : Object.assign(error as Error, { message: named });
}
