/**
 * The processes that share a run, as seen from one of them. Every call is collective: all processes make the same
 * calls in the same order, and none returns before all have called.
 */
export interface Communicator {
  /** The rank of this process, from 0. */
  readonly rank: number;
  /** The number of processes. */
  readonly size: number;
  /** The host of each process, by rank. */
  readonly hosts: readonly string[];
  /** Replaces the values by their sums over all processes, which are bit for bit the same everywhere. */
  allReduce(values: Float32Array): void;
  /** Sends the bytes of process 0 to all. The argument of other processes is ignored. */
  broadcast(bytes?: Uint8Array): Uint8Array;
  /** Returns the bytes of every process, by rank, to all. */
  gather(bytes: Uint8Array): Uint8Array[];
  /** Returns when all have called it. */
  barrier(): void;
}
