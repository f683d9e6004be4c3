import type { Communicator } from './communicator.ts';

/** Some consecutive rows of a batch. */
export interface Rows {
  start: number;
  /** The first row that is not one of them. */
  end: number;
}

/** The rows that fall to a process: each has as many as the next, or one more. */
export function rowsOf({ rank, size }: Communicator, count: number): Rows {
  const before = (process: number) => process * Math.floor(count / size) + Math.min(process, count % size);
  return { start: before(rank), end: before(rank + 1) };
}
