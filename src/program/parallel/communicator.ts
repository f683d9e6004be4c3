import { ComputationError } from '../../support/user-error.ts';

/** The communicator of a run with a single process. */
export const ALONE: Communicator = {
  rank: 0,
  size: 1,
  hosts: ['this host'],
  allReduce() {},
  broadcast: (value) => value,
  gather: (bytes) => [bytes],
  barrier() {},
};

export const ALONE_PROCESSES: Processes = { communicator: ALONE, sharesHost: false, leave() {} };

/**
 * The processes that share a run, as one of them sees them. Every call is collective: all processes make the same calls
 * in the same order, and no call returns before all processes have made it.
 */
export interface Communicator {
  /** The rank of this process, from 0. */
  readonly rank: number;
  /** The number of processes. */
  readonly size: number;
  /** The host of each process, by rank. */
  readonly hosts: readonly string[];
  /** Replaces the values by their sums over all processes. The sums are bit for bit the same everywhere. */
  allReduce(values: Float32Array): void;
  /** Returns the plain data of process 0 to all processes. The argument of other processes is ignored. */
  broadcast<T>(value: T): T;
  /** Returns the bytes of all processes, by rank, to every process. */
  gather(bytes: Uint8Array): Uint8Array[];
  /** Returns when all processes have called it. */
  barrier(): void;
}

/** The processes that share a run, and what this one may use. */
export interface Processes {
  communicator: Communicator;
  /** Number of compute threads of this process; undefined for a single process, which lets the engine decide. */
  threads?: number;
  /** Whether another process runs on this host. */
  sharesHost: boolean;
  /** Ends the communication in all processes. */
  leave(): void;
}

/** The name of a process in messages: `process 3 (node-b)`. */
export function processName({ hosts }: Communicator, rank: number): string {
  return `process ${rank} (${hosts[rank]})`;
}

/** {@link Communicator.gather} for JSON values. */
export function gatherJson<T>(communicator: Communicator, value: T): T[] {
  if (communicator.size === 1) return [value];
  return communicator.gather(encode(value)).map((bytes) => decode(bytes) as T);
}

/** Whether another process runs on the same host. */
export function sharesHost({ hosts, rank }: Communicator): boolean {
  return hosts.some((host, i) => i !== rank && host === hosts[rank]);
}

/** The processors that one process may use. */
export interface Cores {
  count: number;
  /** Their numbers in Linux's list format; empty if unknown. */
  list: string;
}

/**
 * The number of compute threads for this process. Processes of a host that may use the same cores share them equally.
 * Processes with separate cores each use all of their own.
 */
export function countThreads(communicator: Communicator, cores: Cores): number {
  const { rank, hosts } = communicator;
  const all = gatherJson(communicator, cores);
  const sharing = all.filter(({ list }, i) => hosts[i] === hosts[rank] && list === cores.list).length;
  return Math.max(1, Math.floor(cores.count / sharing));
}

export function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

export function decode(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

const agreed = new WeakSet<object>();

/** Marks an error that every process throws. Then one process reports it, and all of them end. */
export function markAgreed<E extends object>(error: E): E {
  agreed.add(error);
  return error;
}

export function isAgreed(error: unknown): boolean {
  return typeof error === 'object' && error !== null && agreed.has(error);
}

/**
 * Compares a state that every process has computed independently.
 *
 * @param hashes hashes of the state's parts, by name
 * @throws ComputationError that names the first part that differs, and the two processes
 */
export function assertEqual(
  communicator: Communicator,
  step: number,
  hashes: Readonly<Record<string, string>>,
): void {
  if (communicator.size === 1) return;
  const [first, ...others] = gatherJson(communicator, hashes);
  for (const [i, other] of others.entries()) {
    const part = Object.keys(first!).find((name) => first![name] !== other[name]);
    if (part === undefined) continue;
    const side = (rank: number, hashes: Readonly<Record<string, string>>) =>
      `${processName(communicator, rank)} has ${hashes[part]}`;
    throw markAgreed(
      new ComputationError(
        `step ${step}: ${part} differ between processes: ${side(0, first!)} and ${side(i + 1, other)} ` +
          '(hashes). The hosts round differently, or a processor or memory is faulty.',
      ),
    );
  }
}
