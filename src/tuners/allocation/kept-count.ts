/** The number of kept triplets in a module. `keep` has 1 for each of them. */
export function keptCount(keep: Uint8Array): number {
  return keep.reduce((sum, kept) => sum + kept, 0);
}
