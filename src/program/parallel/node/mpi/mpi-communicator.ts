import { hostname } from 'node:os';
import { deserialize, serialize } from 'node:v8';
import { UserError } from '../../../../support/user-error.ts';
import type { Communicator } from '../../communicator.ts';
import type { Launch } from '../../launch.ts';
import { loadLibrary, mpiCalls } from './mpi-calls.ts';

/** The largest message. MPI counts in an `int`. */
const MAX_BYTES = 2 ** 30;

/** Processes connected by MPI. */
export interface MpiCommunicator extends Communicator {
  /** Finalises MPI. All processes must call it, and cannot use MPI afterwards. */
  leave(): void;
}

/**
 * Connects to the processes that the launcher has started.
 *
 * @throws UserError if MPI is missing, does not match the launcher, or has already been finalized in this process
 */
export async function joinMpi(launch: Launch): Promise<MpiCommunicator> {
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
