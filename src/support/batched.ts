/**
 * Gathers items for a moment, and hands all of one turn of the event loop on together.
 *
 * @param later calls back when the turn's work is done
 */
export function batched<Item>(
  take: (items: Item[]) => void,
  later: (flush: () => void) => void,
): (item: Item) => void {
  let waiting: Item[] = [];
  return (item) => {
    waiting.push(item);
    if (waiting.length > 1) return;
    later(() => {
      const items = waiting;
      waiting = [];
      take(items);
    });
  };
}
