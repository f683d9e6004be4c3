/**
 * Collects items during one turn of the event loop, and passes them on together.
 *
 * @param later calls its argument at the end of the turn
 */
export function batched<Item>(
  onBatch: (items: Item[]) => void,
  later: (flush: () => void) => void,
): (item: Item) => void {
  let waiting: Item[] = [];
  return (item) => {
    waiting.push(item);
    if (waiting.length > 1) return;
    later(() => {
      const items = waiting;
      waiting = [];
      onBatch(items);
    });
  };
}
