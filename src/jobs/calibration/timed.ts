/** When timing ends: as soon as one of these limits is reached. At least one item is handled. */
export interface Bounds {
  seconds: number;
  count: number;
}

/** Handles items one after another until a limit is reached. Returns the milliseconds of each. */
export async function timed<Item>(
  items: readonly Item[],
  { seconds, count }: Bounds,
  act: (item: Item) => Promise<void>,
  onProgress: (share: number) => void,
): Promise<{ item: Item; ms: number }[]> {
  const done: { item: Item; ms: number }[] = [];
  const startedAt = performance.now();
  const most = Math.min(count, items.length);
  for (const item of items.slice(0, most)) {
    const started = performance.now();
    await act(item);
    const now = performance.now();
    done.push({ item, ms: now - started });
    const share = Math.max(done.length / most, (now - startedAt) / (1000 * seconds));
    onProgress(Math.min(1, share));
    if (share >= 1) break;
  }
  return done;
}
