/** The number of kept triplets of a module, given 1 for each kept one. */
export function keptCount(keep: Uint8Array): number {
  return keep.reduce((sum, kept) => sum + kept, 0);
}
