/**
 * The processes that share a run, as one of them sees them. Every call is a meeting: all processes make the same calls in
 * the same order, and none returns before the others have come.
 */
export interface Communicator {
  /** This process's number, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** The host of each process, by rank. */
  readonly hosts: readonly string[];
  /** Puts the sums over all processes in the values' place; they are the same to the bit everywhere. */
  allReduce(values: Float32Array): void;
  /** Gives everybody what process 0 has. What others pass is not looked at. */
  broadcast(bytes?: Uint8Array): Uint8Array;
  /** Gives everybody what each process has, by rank. */
  gather(bytes: Uint8Array): Uint8Array[];
  /** Returns when all have called it. */
  barrier(): void;
}
