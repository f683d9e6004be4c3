import { fstatSync, readFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { deserialize, serialize } from 'node:v8';
import { askedThreads } from '../../../engine/runtime/session.ts';
import { UserError } from '../../../support/user-error.ts';
import {
  ALONE_PROCESSES,
  type Communicator,
  type Cores,
  countThreads,
  type Processes,
  sharesHost,
} from '../communicator.ts';
import { type Launch, readLaunch } from '../launch.ts';
import { loadLibrary, mpiCalls } from './mpi/mpi-calls.ts';

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

/** The largest message. MPI counts in an `int`. */
const MAX_BYTES = 2 ** 30;

/** Processes connected by MPI. */
interface MpiCommunicator extends Communicator {
  /** Finalises MPI. All processes must call it, and cannot use MPI afterwards. */
  leave(): void;
}

/**
 * Connects to the processes that the launcher has started.
 *
 * @throws UserError if MPI is missing, does not match the launcher, or has already been finalized in this process
 */
async function joinMpi(launch: Launch): Promise<MpiCommunicator> {
  const library = await loadLibrary(launch);
  const mpi = mpiCalls(library);
  if (mpi.isFinalized()) throw secondRun();
  mpi.init();
  const [rank, size] = [mpi.rank(), mpi.size()];
  if (rank !== launch.rank || size !== (launch.size ?? size))
    throw otherLauncher(library.abi.name, { rank, size }, launch);

  const spread = (bytes: Uint8Array, root: number) => {
    for (let at = 0; at < bytes.length; at += MAX_BYTES)
      mpi.broadcast(bytes.subarray(at, at + MAX_BYTES), root);
    return bytes;
  };
  const lengthsOf = (length: number) => {
    const lengths = new Float64Array(size);
    mpi.allGather(Float64Array.of(length), lengths);
    return [...lengths];
  };
  const gather = (bytes: Uint8Array) =>
    lengthsOf(bytes.length).map((length, root) =>
      spread(root === rank ? bytes : new Uint8Array(length), root),
    );
  let copy = new Float32Array(0);
  return {
    rank,
    size,
    hosts: gather(Buffer.from(hostname())).map((name) => Buffer.from(name).toString()),
    allReduce(values) {
      if (copy.length < values.length) copy = new Float32Array(values.length);
      copy.set(values);
      for (let at = 0; at < values.length; at += MAX_BYTES / 4) {
        const sums = values.subarray(at, at + MAX_BYTES / 4);
        mpi.allReduce(copy.subarray(at, at + sums.length), sums);
      }
    },
    broadcast(value) {
      const bytes = rank === 0 ? serialize(value) : new Uint8Array();
      const [length] = lengthsOf(bytes.length);
      return deserialize(spread(rank === 0 ? bytes : new Uint8Array(length!), 0));
    },
    gather,
    barrier: mpi.barrier,
    leave: mpi.finalize,
  };
}

function otherLauncher(name: string, actual: Omit<Launch, 'mpi'>, expected: Launch): UserError {
  return new UserError({
    where: 'MPI',
    fault: `is process ${actual.rank} of ${actual.size} in the library of ${name}, but the launcher says ${expected.rank}${expected.size === undefined ? '' : ` of ${expected.size}`}`,
    hint: 'Start with the launcher of this library, or set ADALORA_MPI_LIBRARY to the library of your launcher.',
  });
}

function secondRun(): UserError {
  const hint = 'Start a process for each run.';
  return new UserError({ where: 'MPI', fault: 'allows one run in a process, and this is the second', hint });
}
