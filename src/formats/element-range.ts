import { elementCount } from '../support/element-count.ts';

/** Elements [start, end) of a tensor of that shape; where not given, from its first and to its last. */
export function elementRange(shape: readonly number[], start = 0, end?: number): { start: number; end: number } {
  const count = elementCount(shape);
  const last = end ?? count;
  if (start >= 0 && start <= last && last <= count) return { start, end: last };
  throw new RangeError(`elements ${start} to ${last} of a tensor of ${count}`);
}
