/** Returns a range [start, end) of a tensor's elements, after checking it. Default: all `count` elements. */
export function elementRange(count: number, start = 0, end = count): { start: number; end: number } {
  if (start >= 0 && start <= end && end <= count) return { start, end };
  throw new RangeError(`elements ${start} to ${end} of a tensor of ${count}`);
}
