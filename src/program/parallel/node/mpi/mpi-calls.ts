import type { MpiLibrary } from './load-library.ts';

/** All calls come from a single thread, but it may differ from the process's first thread. */
const MPI_THREAD_SERIALIZED = 2;

/** The MPI functions that this program calls. They involve all processes of the launcher. Counts are below 2^31. */
export interface MpiCalls {
  /** Whether this process has finalized MPI. MPI can be initialized only once per process. */
  isFinalized(): boolean;
  init(): void;
  rank(): number;
  size(): number;
  allReduce(values: Float32Array, sums: Float32Array): void;
  broadcast(bytes: Uint8Array, root: number): void;
  /** Writes the values of every process to `all`, by rank. */
  allGather(values: Float64Array, all: Float64Array): void;
  barrier(): void;
  finalize(): void;
}

/** Declares the functions of a library. Each throws if MPI returns an error code. */
export function mpiCalls({ abi, library }: MpiLibrary): MpiCalls {
  const { name, handle } = abi;
  const { world, float, byte, sum } = abi.handles(library);
  const declare = (call: string, parameters: string) => {
    const declared = library.func(`int ${call}(${parameters})`);
    return (...values: unknown[]) => {
      const code = declared(...values);
      if (code !== 0) throw new Error(`${call} of ${name} failed with code ${code}`);
    };
  };
  const callReturning = (call: string, parameters: string, ...values: unknown[]) => {
    const result = [0];
    declare(call, `${parameters}_Out_ int *result`)(...values, result);
    return result[0]!;
  };
  const allReduce = declare(
    'MPI_Allreduce',
    `const void *own, void *sums, int count, ${handle} type, ${handle} op, ${handle} comm`,
  );
  const broadcast = declare('MPI_Bcast', `void *data, int count, ${handle} type, int root, ${handle} comm`);
  const allGather = declare(
    'MPI_Allgather',
    `const void *own, int count, ${handle} type, void *all, int counts, ${handle} types, ${handle} comm`,
  );
  const barrier = declare('MPI_Barrier', `${handle} comm`);
  const finalize = declare('MPI_Finalize', '');
  return {
    isFinalized: () => callReturning('MPI_Finalized', '') !== 0,
    init: () => {
      callReturning(
        'MPI_Init_thread',
        'void *argc, void *argv, int required, ',
        null,
        null,
        MPI_THREAD_SERIALIZED,
      );
    },
    rank: () => callReturning('MPI_Comm_rank', `${handle} comm, `, world),
    size: () => callReturning('MPI_Comm_size', `${handle} comm, `, world),
    allReduce: (values, sums) => allReduce(values, sums, sums.length, float, sum, world),
    broadcast: (bytes, root) => broadcast(bytes, bytes.length, byte, root, world),
    allGather: (values, all) =>
      allGather(values, values.byteLength, byte, all, values.byteLength, byte, world),
    barrier: () => barrier(world),
    finalize: () => finalize(),
  };
}
