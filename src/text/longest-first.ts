/**
 * How many tokens of each text of a pair stay when `budget` are allowed in all, as `longest_first` of the Rust library
 * has it: only the longer is cut if that suffices, else each gets half, and the longer the odd one (the second at a tie).
 */
export function longestFirst(first: number, second: number, budget: number): [number, number] {
  if (first + second <= budget) return [first, second];
  const half = Math.floor(budget / 2);
  const shorter = Math.min(first, second, half);
  const longer = budget - shorter;
  return first > second ? [longer, shorter] : [shorter, longer];
}
