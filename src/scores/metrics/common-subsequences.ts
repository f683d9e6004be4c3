const WORD = 32;

/** A sentence's cells in a row of the table: [start, end). */
interface Sentence {
  start: number;
  end: number;
}

/** All positions of a word. */
interface Occurrences {
  /** One bit per cell of the table (see {@link CommonSubsequences}): 1 where the word occurs. */
  cells: Int32Array;
  sentences: Set<Sentence>;
}

/**
 * Computes longest common subsequences with every sentence of a text. The tables of all sentences stand side
 * by side, with one bit per cell, so 32 cells are computed at once (Hyyrö, 2004: "Bit-parallel LCS-length
 * computation revisited"). Between two tables stands a cell that matches nothing.
 */
export class CommonSubsequences {
  readonly #words = new Map<string, Occurrences>();
  /** A bit is 1 if its cell belongs to a sentence. */
  readonly #inside: Int32Array;

  constructor(sentences: readonly (readonly string[])[]) {
    const cells = sentences.reduce((sum, { length }) => sum + length + 1, 0);
    this.#inside = new Int32Array(Math.ceil(cells / WORD));
    let start = 0;
    for (const words of sentences) {
      const sentence = { start, end: start + words.length };
      for (const word of words) this.#add(word, start++, sentence);
      start++;
    }
  }

  #add(word: string, cell: number, sentence: Sentence): void {
    let occurrences = this.#words.get(word);
    if (!occurrences) {
      occurrences = { cells: new Int32Array(this.#inside.length), sentences: new Set() };
      this.#words.set(word, occurrences);
    }
    occurrences.sentences.add(sentence);
    for (const bits of [occurrences.cells, this.#inside]) bits[cell >>> 5]! |= 1 << (cell & 31);
  }

  /**
   * Positions in `first` that belong to a longest common subsequence with any of the sentences. If a sentence
   * has several such subsequences, the one that ROUGE's Python package finds is used. It walks from the end,
   * and steps back in `first` if both directions are equal.
   *
   * @param spend called with the number of steps through each table
   */
  with(first: readonly string[], spend: (steps: number) => void): Set<number> {
    const words = first.map((word) => this.#words.get(word));
    const rows = this.#rows(words);
    const places = new Set<number>();
    const seen = new Set<Sentence>();
    for (const [place, word] of words.entries())
      for (const sentence of word?.sentences ?? []) {
        if (places.has(place)) break;
        if (seen.has(sentence)) continue;
        seen.add(sentence);
        spend(this.#walk(sentence, words, rows, places));
      }
    return places;
  }

  /**
   * Computes one row per prefix of the first text. A bit is 0 if the longest common subsequence grows at its
   * cell.
   */
  #rows(found: readonly (Occurrences | undefined)[]): Int32Array {
    const [inside, width] = [this.#inside, this.#inside.length];
    const rows = new Int32Array((found.length + 1) * width);
    rows.set(inside);
    for (let i = 0; i < found.length; i++) {
      const above = i * width;
      const cells = found[i]?.cells;
      if (!cells) rows.copyWithin(above + width, above, above + width);
      let carry = 0;
      for (let k = 0; cells && k < width; k++) {
        const [bits, match] = [rows[above + k], cells[k]];
        const sum = (bits! >>> 0) + ((bits! & match!) >>> 0) + carry;
        carry = sum > 0xffff_ffff ? 1 : 0;
        // A carry stops at the cell between two tables.
        rows[above + width + k] = (sum | (bits! & ~match!)) & inside[k]!;
      }
    }
    return rows;
  }

  /** Walks back through a sentence's table. Returns the number of steps. */
  #walk(
    { start, end }: Sentence,
    found: readonly (Occurrences | undefined)[],
    rows: Int32Array,
    places: Set<number>,
  ): number {
    const width = this.#inside.length;
    let [i, j] = [found.length, end];
    let length = zeros(rows, i * width, start, j);
    let steps = 1;
    for (; length > 0; steps++) {
      const cells = found[i - 1]?.cells;
      if (cells && (cells[(j - 1) >>> 5]! & (1 << ((j - 1) & 31))) !== 0) {
        places.add(--i);
        j--;
        length--;
      } else if (cells && zeros(rows, (i - 1) * width, start, j) < length) j--;
      else i--;
    }
    return steps;
  }
}

/** Counts the zeros among the bits [start, end) of a row. */
function zeros(rows: Int32Array, row: number, start: number, end: number): number {
  let count = 0;
  for (let k = start >>> 5; k * WORD < end; k++) {
    const low = Math.max(start - k * WORD, 0);
    const high = Math.max((k + 1) * WORD - end, 0);
    count += onesIn(~rows[row + k]! & (-1 << low) & (-1 >>> high));
  }
  return count;
}

function onesIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
