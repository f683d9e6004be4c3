/** The network between hosts. */
export interface NetworkSpeed {
  /** Bytes per second that a host can send while it receives as many. */
  bandwidth: number;
  /** Seconds from one process's call to the other's reply. */
  latency: number;
}

/** A run in several processes, each on its own host. */
export interface Scaling {
  processes: number;
  steps: number;
  /** Seconds per step, and its parts. */
  step: number;
  computing: number;
  allReduce: number;
  /** Bytes to sum. */
  bytes: number;
  /** The faster all-reduce algorithm here. */
  algorithm: 'ring' | 'recursive doubling';
  /** Examples per second, relative to as many processes without communication. */
  efficiency: number;
  /** Seconds of the whole run. */
  run: number;
}

/** Loss, share, regularizer and stop request are sent with the gradient. */
const MORE_VALUES = 4;

/**
 * Seconds that n processes take to sum vectors. In a ring, each process sends 2 (n - 1) messages of 1 / n of its vector
 * (Patarasuk and Yuan, 2009). With recursive doubling, it sends its whole vector to log₂ n others in turn (Thakur,
 * Rabenseifner and Gropp, 2005). MPI's libraries use the second for short vectors, and something similar to the first
 * for long ones.
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

/** The work of one process in a run. */
export interface ProcessShare {
  /** Number of trained values. */
  parameters: number;
  /** Steps of the whole run; batches contain the rows of all processes. */
  steps: number;
  /** Seconds of computation per step. */
  computing: number;
  /** Seconds of all the run's evaluations in a single process; processes divide them. */
  evaluations: number;
}

/** A run in n processes: computation, then one all-reduce, step after step. */
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
