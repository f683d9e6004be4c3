/** What connects hosts. */
export interface NetworkSpeed {
  /** Bytes a second that a host sends, and receives at the same time. */
  bandwidth: number;
  /** Seconds from one process's call to the other's answer to it. */
  latency: number;
}

/** What a run is in several processes, each on a host of its own. */
export interface Scaling {
  processes: number;
  steps: number;
  /** Seconds of a step, and what it is made of. */
  step: number;
  computing: number;
  allReduce: number;
  /** Bytes that are added up. */
  bytes: number;
  /** Which way of adding up is faster here. */
  algorithm: 'ring' | 'recursive doubling';
  /** Examples a second beside those of as many processes that need not meet. */
  efficiency: number;
  /** Seconds of the whole run. */
  run: number;
}

/** Loss, share, regularizer and stop go with the gradient. */
const MORE_VALUES = 4;

/**
 * Seconds that n processes take to add up vectors. In a ring each sends 2 (n - 1) n-ths of its vector, one after the other
 * (Patarasuk and Yuan, 2009); by recursive doubling whole vectors, to log₂ n others (Thakur, Rabenseifner and Gropp, 2005).
 * MPI's libraries take the second for short vectors, and something near the first for long ones.
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

/** What one process does of a run. */
export interface ProcessShare {
  /** Numbers that are trained. */
  parameters: number;
  /** Steps of the whole run, whose batches have the rows of all processes. */
  steps: number;
  /** Seconds that it computes in a step. */
  computing: number;
  /** Seconds of all the run's evaluations in one process alone, which processes divide. */
  evaluations: number;
}

/** A run in n processes: computing, then one all-reduce, step after step. */
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
