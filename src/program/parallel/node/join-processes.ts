import { fstatSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { askedThreads } from '../../../engine/runtime/session.ts';
import { UserError } from '../../../support/user-error.ts';
import { ALONE_PROCESSES, type Cores, countThreads, type Processes, sharesHost } from '../communicator.ts';
import { readLaunch } from '../launch.ts';
import { joinMpi } from './mpi/mpi-communicator.ts';

/**
 * Connects to the other processes that mpirun, mpiexec or srun started for this run.
 *
 * @throws UserError if MPI's library is missing or does not match the launcher, and for an invalid number of threads
 */
export async function joinProcesses(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Processes> {
  const launch = readLaunch(env);
  if (!launch || launch.size === 1) return ALONE_PROCESSES;
  checkChannel(env.PMI_FD);
  const asked = askedThreads(env);
  const communicator = await joinMpi(launch);
  // The call is collective: every process makes it, even if only some have a requested number of threads.
  const fair = countThreads(communicator, findCores());
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

/** The cores that this process may use. */
function findCores(): Cores {
  const count = availableParallelism();
  try {
    const list = readFileSync('/proc/self/status', 'utf8').match(/^Cpus_allowed_list:\s*(.*)$/m)?.[1] ?? '';
    return { count, list };
  } catch {
    return { count, list: '' };
  }
}
