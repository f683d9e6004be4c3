import type { BpeConfig } from './tokenizer-json.ts';
import { createVocabulary, type Model, type PieceToken, type Vocabulary } from './vocabulary.ts';

/** GPT-2's character for each byte: the byte's own character if visible, otherwise a character from U+0100 on. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isSeen = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(isSeen ? byte : next++);
  });
})();

/**
 * Returns a function that maps a text to the tokens `<0x..>` of its bytes. Undefined if one of these tokens is not in
 * the vocabulary.
 */
export function byteTokens(vocabulary: Vocabulary) {
  const tokens = Array.from({ length: 256 }, (_, byte) => {
    const token = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    return { token, id: vocabulary.idOf(token) };
  });
  const encoder = new TextEncoder();
  return (text: string, from: number, to: number): PieceToken[] | undefined => {
    const made: PieceToken[] = [];
    for (const byte of encoder.encode(text)) {
      const { token, id } = tokens[byte]!;
      if (id === undefined) return undefined;
      made.push({ id, token, from, to });
    }
    return made;
  };
}

/** A token in a piece. It represents the UTF-16 units [from, to). */
interface PieceSymbol {
  id: number;
  from: number;
  to: number;
}

/** The result of merging two tokens, and the rank of the rule. */
interface Merge {
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
function mergeSymbols(
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

/** Byte pair encoding: merges characters by rules, in the order in which the rules were learned. */
export function bpe(config: BpeConfig): Model {
  const vocabulary = createVocabulary(config.vocab);
  const merges = readMerges(config, vocabulary);
  const prefix = config.continuing_subword_prefix ?? '';
  const suffix = config.end_of_word_suffix ?? '';
  const unknown = config.unk_token ?? undefined;
  const bytes = config.byte_fallback ? byteTokens(vocabulary) : undefined;

  return {
    vocabulary,
    tokenize(piece) {
      if (config.ignore_merges) {
        const id = vocabulary.idOf(piece);
        if (id !== undefined) return [{ id, token: piece, from: 0, to: piece.length }];
      }
      return mergeSymbols(symbols(piece), merges).map(({ id, from, to }) => ({
        id,
        token: vocabulary.tokens[id] ?? '',
        from,
        to,
      }));
    },
  };

  function idOfUnknown(token: string): number {
    const id = vocabulary.idOf(token);
    if (id === undefined) throw new Error(`the vocabulary lacks the unk_token ${token}`);
    return id;
  }

  function symbols(piece: string): PieceSymbol[] {
    const pieces: PieceSymbol[] = [];
    let pending: PieceSymbol | undefined;
    let from = 0;
    for (const character of piece) {
      const to = from + character.length;
      const text = (from > 0 ? prefix : '') + character + (to === piece.length ? suffix : '');
      const id = vocabulary.idOf(text);
      const fallback = id === undefined ? bytes?.(text, from, to) : undefined;
      if (id !== undefined) {
        if (pending) pieces.push(pending);
        pending = undefined;
        pieces.push({ id, from, to });
      } else if (fallback) pieces.push(...fallback);
      else if (unknown !== undefined) {
        if (pending && config.fuse_unk) pending.to = to;
        else {
          if (pending) pieces.push(pending);
          pending = { id: idOfUnknown(unknown), from, to };
        }
      }
      from = to;
    }
    if (pending) pieces.push(pending);
    return pieces;
  }
}

/**
 * Maps the ids of a left and a right side to their merge rule.
 *
 * @throws Error if a side or the result is not in the vocabulary
 */
function readMerges(config: BpeConfig, vocabulary: Vocabulary): Map<number, Map<number, Merge>> {
  const merges = new Map<number, Map<number, Merge>>();
  const skipped = config.continuing_subword_prefix?.length ?? 0;
  for (const [rank, rule] of config.merges.entries()) {
    const sides: readonly unknown[] =
      typeof rule === 'string' ? rule.split(' ') : Array.isArray(rule) ? rule : [];
    const [left, right] = sides;
    if (sides.length !== 2 || typeof left !== 'string' || typeof right !== 'string')
      throw new Error(`merge ${rank} is not two tokens`);
    const idOf = (token: string) => {
      const id = vocabulary.idOf(token);
      if (id === undefined)
        throw new Error(`merge ${rank} needs ${JSON.stringify(token)}, which is not in the vocabulary`);
      return id;
    };
    const from = idOf(left);
    const after = merges.get(from) ?? new Map<number, Merge>();
    merges.set(from, after);
    // The last of equal rules counts, as in the Rust library.
    after.set(idOf(right), { rank, id: idOf(left + right.slice(skipped)) });
  }
  return merges;
}
