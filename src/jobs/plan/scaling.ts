/** The network between hosts. */
export interface NetworkSpeed {
  /** Bytes per second that a host can send and receive at the same time. */
  bandwidth: number;
  /** Seconds from a process's call until another process has replied. */
  latency: number;
}

/** A run in several processes, each on its own host. */
export interface Scaling {
  processes: number;
  steps: number;
  /** Seconds per step; `computing` and `allReduce` are its parts. */
  step: number;
  computing: number;
  allReduce: number;
  /** Bytes that are summed over the processes in each step. */
  bytes: number;
  /** The all-reduce algorithm that is faster for this run. */
  algorithm: 'ring' | 'recursive doubling';
  /** Speed relative to the same number of processes without communication. */
  efficiency: number;
  /** Seconds of the whole run. */
  run: number;
}

/** Number of values sent with the gradient: loss, share, regularizer and stop request. */
const MORE_VALUES = 4;

/**
 * Seconds that n processes take to sum a vector, by algorithm.
 *
 * In a ring, each process sends 2 (n - 1) messages of 1 / n of its vector (Patarasuk and Yuan, 2009). With
 * recursive doubling, it sends its whole vector to log₂ n others in turn (Thakur, Rabenseifner and Gropp,
 * 2005). MPI's libraries use recursive doubling for short vectors, and algorithms similar to the ring for
 * long ones.
 */
export function allReduceTime(
  bytes: number,
  processes: number,
  { bandwidth, latency }: NetworkSpeed,
): { seconds: number; algorithm: Scaling['algorithm'] } {
  if (processes === 1) return { seconds: 0, algorithm: 'ring' };
  const transfer = bytes / bandwidth;
  const ring = 2 * (processes - 1) * (latency + transfer / processes);
  const doubling = Math.ceil(Math.log2(processes)) * (latency + transfer);
  return doubling < ring
    ? { seconds: doubling, algorithm: 'recursive doubling' }
    : { seconds: ring, algorithm: 'ring' };
}

/** The work of a run, as a single process would do it. */
export interface ProcessShare {
  /** Number of trained values. */
  parameters: number;
  /** Steps of the whole run. A batch contains the rows of all processes. */
  steps: number;
  /** Seconds of computation per step. */
  computing: number;
  /** Seconds of all evaluations in a single process. In a run, the processes divide them. */
  evaluations: number;
}

/** The cost of a run in n processes. Each step is computed first; then an all-reduce follows. */
export function scaling(share: ProcessShare, processes: number, network: NetworkSpeed): Scaling {
  const bytes = 4 * (share.parameters + MORE_VALUES);
  const { seconds: allReduce, algorithm } = allReduceTime(bytes, processes, network);
  const step = share.computing + allReduce;
  return {
    processes,
    steps: share.steps,
    step,
    computing: share.computing,
    allReduce,
    bytes,
    algorithm,
    efficiency: share.computing / step,
    run: share.steps * step + share.evaluations / processes,
  };
}
