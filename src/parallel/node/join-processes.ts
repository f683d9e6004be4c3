import { fstatSync } from 'node:fs';
import { askedThreads } from '../../runtime/node/asked-threads.ts';
import { UserError } from '../../support/user-error.ts';
import { ALONE } from '../alone.ts';
import type { Communicator } from '../communicator.ts';
import { sharesHost } from '../shares-host.ts';
import { launchOf } from './launch.ts';
import { joinMpi } from './mpi/mpi-communicator.ts';
import { threadsOf } from './threads-of.ts';

/** Those with whom a process shares its run. */
export interface Processes {
  communicator: Communicator;
  /** Threads that compute in this one; undefined alone, where the engine sees for itself. */
  threads?: number;
  /** Whether some of the others run on this one's host. */
  sharesHost: boolean;
  /** Ends the meeting, in all processes. */
  leave(): void;
}

export const ALONE_PROCESSES: Processes = { communicator: ALONE, sharesHost: false, leave() {} };

/**
 * Meets the processes that mpirun, mpiexec or srun has started beside this one.
 *
 * @throws UserError where they cannot be reached: MPI's library is missing, or another than the launcher's; for a count of
 * threads that is none
 */
export async function joinProcesses(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Processes> {
  const launch = launchOf(env);
  if (!launch || launch.size === 1) return ALONE_PROCESSES;
  checkChannel(env.PMI_FD);
  const asked = askedThreads(env);
  const communicator = await joinMpi(launch);
  // All take part in this, also where only some were asked.
  const fair = threadsOf(communicator);
  return {
    communicator,
    threads: asked ?? fair,
    sharesHost: sharesHost(communicator),
    leave: () => communicator.leave(),
  };
}

/** MPICH's launcher speaks through a file descriptor, which programs between it and this one may have closed. */
function checkChannel(descriptor: string | undefined): void {
  if (descriptor === undefined) return;
  try {
    fstatSync(Number(descriptor));
  } catch {
    throw new UserError({
      where: 'MPICH',
      expected: `the file descriptor ${descriptor}, through which its launcher speaks`,
      got: 'a closed one: npx hands none on',
      hint: 'Start node_modules/.bin/adalora instead of npx adalora, or mpiexec with -pmi-port.',
    });
  }
}
