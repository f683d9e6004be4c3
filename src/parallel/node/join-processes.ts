import { ALONE } from '../alone.ts';
import type { Communicator } from '../communicator.ts';
import { launchOf } from './launch.ts';
import { joinMpi } from './mpi/mpi-communicator.ts';
import { threadsOf } from './threads-of.ts';

/** Those with whom a process shares its run. */
export interface Processes {
  communicator: Communicator;
  /** Threads that compute in this one; undefined alone, where the engine sees for itself. */
  threads?: number;
  /** Ends the meeting, in all processes. */
  leave(): void;
}

export const ALONE_PROCESSES: Processes = { communicator: ALONE, leave() {} };

/**
 * Meets the processes that mpirun, mpiexec or srun has started beside this one.
 *
 * @throws UserError where they cannot be reached: MPI's library is missing, or another than the launcher's
 */
export async function joinProcesses(env: NodeJS.ProcessEnv = process.env): Promise<Processes> {
  const launch = launchOf(env);
  if (!launch || launch.size === 1) return ALONE_PROCESSES;
  const communicator = await joinMpi(launch);
  return { communicator, threads: threadsOf(communicator), leave: () => communicator.leave() };
}
