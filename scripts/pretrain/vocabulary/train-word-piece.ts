/** A word as pieces, and its count. */
interface Word {
  pieces: string[];
  count: number;
}

/** Separates the pieces in the key of a pair. No piece contains a space. */
const SEPARATOR = ' ';
const CONTINUES = '##';

export interface WordPieceOptions {
  /** Total number of pieces, including special tokens. */
  size: number;
  special: readonly string[];
  /** Characters with a smaller count are unknown. */
  leastCharacterCount: number;
  /** Pairs with a smaller count are not merged. */
  leastPairCount: number;
}

/**
 * Trains a WordPiece vocabulary like the `tokenizers` library. It begins with characters; then the most
 * frequent pair of adjacent pieces is merged, again and again. Ties are resolved alphabetically, so that the
 * result depends only on the counts.
 */
export function trainWordPiece(counts: ReadonlyMap<string, number>, options: WordPieceOptions): string[] {
  const alphabet = characters(counts, options.leastCharacterCount);
  const words: Word[] = [];
  for (const [word, count] of counts) {
    const letters = [...word];
    if (letters.every((letter) => alphabet.has(letter)))
      words.push({ count, pieces: letters.map((letter, i) => (i === 0 ? letter : CONTINUES + letter)) });
  }
  const sorted = [...alphabet].sort();
  const vocabulary = new Set([...options.special, ...sorted, ...sorted.map((letter) => CONTINUES + letter)]);
  const pairs = new PairCounts(words);
  while (vocabulary.size < options.size) {
    const best = pairs.mostFrequent();
    if (best === undefined || pairs.count(best) < options.leastPairCount) break;
    const [left, right] = best.split(SEPARATOR) as [string, string];
    vocabulary.add(joined(left, right));
    pairs.merge(best);
  }
  return [...vocabulary];
}

function joined(left: string, right: string): string {
  return left + right.slice(CONTINUES.length);
}

function characters(counts: ReadonlyMap<string, number>, least: number): Set<string> {
  const totals = new Map<string, number>();
  for (const [word, count] of counts)
    for (const letter of word) totals.set(letter, (totals.get(letter) ?? 0) + count);
  return new Set([...totals].filter(([, count]) => count >= least).map(([letter]) => letter));
}

/** Counts pairs of adjacent pieces over all words. The counts are updated while pairs are merged. */
class PairCounts {
  readonly #words: Word[];
  readonly #counts = new Map<string, number>();
  /** Words that contain a pair, or contained it before a merge. */
  readonly #places = new Map<string, Set<number>>();

  constructor(words: Word[]) {
    this.#words = words;
    words.forEach((_, at) => {
      this.#change(at, 1);
    });
  }

  count(pair: string): number {
    return this.#counts.get(pair) ?? 0;
  }

  mostFrequent(): string | undefined {
    let best: string | undefined;
    let most = 0;
    for (const [pair, count] of this.#counts) {
      if (count > most || (count === most && best !== undefined && pair < best)) {
        best = pair;
        most = count;
      }
    }
    return best;
  }

  merge(pair: string): void {
    const [left, right] = pair.split(SEPARATOR) as [string, string];
    for (const at of this.#places.get(pair) ?? []) {
      this.#change(at, -1);
      const { pieces } = this.#words[at]!;
      const merged: string[] = [];
      for (let i = 0; i < pieces.length; i++) {
        if (pieces[i] === left && pieces[i + 1] === right) merged.push(joined(left, pieces[++i]!));
        else merged.push(pieces[i]!);
      }
      this.#words[at]!.pieces = merged;
      this.#change(at, 1);
    }
    this.#counts.delete(pair);
    this.#places.delete(pair);
  }

  #change(at: number, sign: 1 | -1): void {
    const { pieces, count } = this.#words[at]!;
    for (let i = 1; i < pieces.length; i++) {
      const pair = pieces[i - 1] + SEPARATOR + pieces[i];
      const total = this.count(pair) + sign * count;
      if (total > 0) this.#counts.set(pair, total);
      else this.#counts.delete(pair);
      if (sign < 0) continue;
      const places = this.#places.get(pair);
      if (places) places.add(at);
      else this.#places.set(pair, new Set([at]));
    }
  }
}
