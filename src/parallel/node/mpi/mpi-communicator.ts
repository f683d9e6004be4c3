import { hostname } from 'node:os';
import { UserError } from '../../../support/user-error.ts';
import type { Communicator } from '../../communicator.ts';
import type { Launch } from '../launch.ts';
import { loadLibrary } from './load-library.ts';

/** Calls come from one thread, which need not be the process's first. */
const MPI_THREAD_SERIALIZED = 2;
/** MPI counts in an `int`; Open MPI's copies of it have been wrong near its end. */
const MOST_BYTES = 2 ** 30;

/** Processes that MPI connects. */
export interface MpiCommunicator extends Communicator {
  /** Takes leave of the others, who do so too. After that there is no MPI in this process any more. */
  leave(): void;
  /** Ends all processes. */
  abort(code: number): void;
}

/**
 * Meets the processes that the launcher has started.
 *
 * @throws UserError where MPI is missing, is another than the launcher's, or has been left in this process before
 */
export async function joinMpi(launch: Launch): Promise<MpiCommunicator> {
  const { abi, library } = await loadLibrary(launch);
  const { handle } = abi;
  const { world, float, byte, sum } = abi.handles(library);
  const declare = (result: string, name: string, parameters: string) =>
    library.func(`${result} ${name}(${parameters})`);
  const call = (name: string, parameters: string) => {
    const declared = declare('int', name, parameters);
    return (...values: unknown[]) => {
      const code = declared(...values);
      if (code !== 0) throw new Error(`${name} of ${abi.name} failed with code ${code}`);
    };
  };
  const flag = [0];
  call('MPI_Finalized', '_Out_ int *flag')(flag);
  if (flag[0] !== 0) throw secondRun();
  call('MPI_Init_thread', 'void *argc, void *argv, int required, _Out_ int *provided')(
    null,
    null,
    MPI_THREAD_SERIALIZED,
    [0],
  );
  const [rank, size] = ['MPI_Comm_rank', 'MPI_Comm_size'].map((name) => {
    const result = [0];
    call(name, `${handle} comm, _Out_ int *result`)(world, result);
    return result[0];
  });
  if (rank !== launch.rank || size !== launch.size) throw otherLauncher(abi.name, { rank, size }, launch);

  const allReduce = call(
    'MPI_Allreduce',
    `const void *own, void *sums, int count, ${handle} type, ${handle} op, ${handle} comm`,
  );
  const broadcast = call('MPI_Bcast', `void *data, int count, ${handle} type, int root, ${handle} comm`);
  const allGather = call(
    'MPI_Allgather',
    `const void *own, int count, ${handle} type, void *all, int counts, ${handle} types, ${handle} comm`,
  );
  const barrier = call('MPI_Barrier', `${handle} comm`);
  const finalize = call('MPI_Finalize', '');
  const abort = declare('int', 'MPI_Abort', `${handle} comm, int code`);

  const spread = (bytes: Uint8Array, root: number) => {
    for (let at = 0; at < bytes.length; at += MOST_BYTES) {
      const part = bytes.subarray(at, at + MOST_BYTES);
      broadcast(part, part.length, byte, root, world);
    }
    return bytes;
  };
  const lengthsOf = (length: number) => {
    const lengths = new Float64Array(size);
    allGather(Float64Array.of(length), 8, byte, lengths, 8, byte, world);
    return [...lengths];
  };
  let own = new Float32Array(0);
  const communicator = {
    rank,
    size,
    hosts: [] as readonly string[],
    allReduce(values: Float32Array) {
      if (own.length < values.length) own = new Float32Array(values.length);
      own.set(values);
      for (let at = 0; at < values.length; at += MOST_BYTES / 4) {
        const sums = values.subarray(at, at + MOST_BYTES / 4);
        allReduce(own.subarray(at, at + sums.length), sums, sums.length, float, sum, world);
      }
    },
    broadcast(bytes: Uint8Array = new Uint8Array()) {
      const [length] = lengthsOf(bytes.length);
      return spread(rank === 0 ? bytes : new Uint8Array(length), 0);
    },
    gather: (bytes: Uint8Array) =>
      lengthsOf(bytes.length).map((length, root) =>
        spread(root === rank ? bytes : new Uint8Array(length), root),
      ),
    barrier: () => barrier(world),
    leave: () => finalize(),
    abort: (code: number) => abort(world, code),
  };
  communicator.hosts = communicator
    .gather(Buffer.from(hostname()))
    .map((name) => Buffer.from(name).toString());
  return communicator;
}

function otherLauncher(name: string, found: Omit<Launch, 'mpi'>, said: Launch): UserError {
  return new UserError({
    where: 'MPI',
    expected: `process ${said.rank} of ${said.size}, as the launcher says`,
    got: `process ${found.rank} of ${found.size} from the library of ${name}`,
    hint: `Start with the launcher that belongs to this library (mpirun --version tells its kind), or name another library's path in ADALORA_MPI_LIBRARY.`,
  });
}

function secondRun(): UserError {
  const hint = 'Start a process for each run.';
  return new UserError({ where: 'MPI', expected: 'one run a process', got: 'a second', hint });
}
