import { fstatSync } from 'node:fs';
import { askedThreads } from '../../runtime/node/asked-threads.ts';
import { UserError } from '../../support/user-error.ts';
import { ALONE } from '../alone.ts';
import type { Communicator } from '../communicator.ts';
import { sharesHost } from '../shares-host.ts';
import { launchOf } from './launch.ts';
import { joinMpi } from './mpi/mpi-communicator.ts';
import { threadsOf } from './threads-of.ts';

/** The processes that share this run. */
export interface Processes {
  communicator: Communicator;
  /** Number of compute threads of this process; undefined for a single process, which lets the engine decide. */
  threads?: number;
  /** Whether another process runs on this host. */
  sharesHost: boolean;
  /** Ends the communication in all processes. */
  leave(): void;
}

export const ALONE_PROCESSES: Processes = { communicator: ALONE, sharesHost: false, leave() {} };

/**
 * Connects to the other processes that mpirun, mpiexec or srun started for this run.
 *
 * @throws UserError if MPI's library is missing or does not match the launcher, and for an invalid number of threads
 */
export async function joinProcesses(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Processes> {
  const launch = launchOf(env);
  if (!launch || launch.size === 1) return ALONE_PROCESSES;
  checkChannel(env.PMI_FD);
  const asked = askedThreads(env);
  const communicator = await joinMpi(launch);
  // The call is collective: every process makes it, even if only some have a requested number of threads.
  const fair = threadsOf(communicator);
  return {
    communicator,
    threads: asked ?? fair,
    sharesHost: sharesHost(communicator),
    leave: () => communicator.leave(),
  };
}

/**
 * Throws if the channel to MPICH's launcher is closed. The launcher communicates through a file descriptor, which a
 * program between it and this process may have closed.
 */
function checkChannel(descriptor: string | undefined): void {
  if (descriptor === undefined) return;
  try {
    fstatSync(Number(descriptor));
  } catch {
    throw new UserError({
      where: 'MPICH',
      fault: `communicates through file descriptor ${descriptor}, but it is closed: npx does not pass it on`,
      hint: 'Start node_modules/.bin/adalora instead of npx adalora, or mpiexec with -pmi-port.',
    });
  }
}
