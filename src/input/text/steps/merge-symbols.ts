/** A token in a piece. It represents the UTF-16 units [from, to). */
export interface PieceSymbol {
  id: number;
  from: number;
  to: number;
}

/** The result of merging two tokens, and the rank of the rule. */
export interface Merge {
  rank: number;
  id: number;
}

/** A possible merge of the symbol at `at` with the next one. */
interface Candidate extends Merge {
  at: number;
}

/**
 * Merges neighbors until no rule applies. The rule with the lowest rank is applied first, and equal rules from left to
 * right.
 */
export function mergeSymbols(
  symbols: PieceSymbol[],
  merges: ReadonlyMap<number, ReadonlyMap<number, Merge>>,
): PieceSymbol[] {
  const next = symbols.map((_, i) => i + 1);
  const previous = symbols.map((_, i) => i - 1);
  const gone = new Uint8Array(symbols.length);
  const queue: Candidate[] = [];
  const offer = (at: number) => {
    if (at < 0 || next[at]! >= symbols.length) return;
    const merge = merges.get(symbols[at]!.id)?.get(symbols[next[at]!]!.id);
    if (merge) push(queue, { ...merge, at });
  };
  for (let at = 0; at + 1 < symbols.length; at++) offer(at);
  while (queue.length > 0) {
    const { at, id } = pop(queue);
    if (gone[at] || next[at]! >= symbols.length) continue;
    const after = next[at]!;
    // Skips a candidate if its neighbors have changed.
    if (merges.get(symbols[at]!.id)?.get(symbols[after]!.id)?.id !== id) continue;
    symbols[at] = { id, from: symbols[at]!.from, to: symbols[after]!.to };
    gone[after] = 1;
    next[at] = next[after]!;
    if (next[at] < symbols.length) previous[next[at]] = at;
    offer(previous[at]!);
    offer(at);
  }
  return symbols.filter((_, i) => !gone[i]);
}

const isBefore = (a: Candidate, b: Candidate) => a.rank < b.rank || (a.rank === b.rank && a.at < b.at);

/** Puts an entry into a binary heap. */
function push(heap: Candidate[], entry: Candidate): void {
  let at = heap.push(entry) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(entry, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = entry;
}

/** Removes the first entry of a binary heap and returns it. */
function pop(heap: Candidate[]): Candidate {
  const first = heap[0]!;
  const last = heap.pop()!;
  if (heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return first;
}
