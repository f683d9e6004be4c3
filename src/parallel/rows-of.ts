import type { Communicator } from './communicator.ts';

/** Some consecutive rows of a batch. */
export interface Rows {
  start: number;
  /** The end of the rows (exclusive). */
  end: number;
}

/** The rows of a process. The numbers of rows differ by at most one between processes. */
export function rowsOf({ rank, size }: Communicator, count: number): Rows {
  const before = (process: number) => process * Math.floor(count / size) + Math.min(process, count % size);
  return { start: before(rank), end: before(rank + 1) };
}
