/**
 * The number of tokens to keep of each text of a pair, for a total of `budget`, as `longest_first` in the Rust library.
 * If it is enough to truncate the longer text, only that is truncated. Otherwise, each gets half, and the longer text
 * gets the odd token (the second text if both are equally long).
 */
export function longestFirst(first: number, second: number, budget: number): [number, number] {
  if (first + second <= budget) return [first, second];
  const half = Math.floor(budget / 2);
  const shorter = Math.min(first, second, half);
  const longer = budget - shorter;
  return first > second ? [longer, shorter] : [shorter, longer];
}
