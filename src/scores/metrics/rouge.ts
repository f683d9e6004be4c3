import { UserError } from '../../support/user-error.ts';
import { porterStem } from './porter-stem.ts';

export const ROUGE_TYPES = ['rouge1', 'rouge2', 'rougeL', 'rougeLsum'] as const;
export type RougeType = (typeof ROUGE_TYPES)[number];

/**
 * Limits on the steps of rougeLsum through the tables of sentence pairs. If all lines are short and alike, it
 * takes thousands of steps per word. Two novels with one sentence per line take 40.
 */
const MAX_STEPS = 2 ** 24;
const MAX_STEPS_PER_WORD = 64;

/** Values from 0 to 1. */
export interface RougeScore {
  precision: number;
  recall: number;
  fmeasure: number;
}

/**
 * Mean scores of texts, equal to the Python package rouge_score 0.1.2 with `use_stemmer=True`.
 *
 * @param references one or more references for each text; for each score, the best reference counts
 * @throws UserError for texts that take too many steps to compare
 */
export function rouge(
  predictions: readonly string[],
  references: readonly (readonly string[])[],
): Record<RougeType, number> {
  let left = MAX_STEPS;
  const scores = predictions.map((prediction, i) =>
    rougeOfText(prediction, references[i]!, (steps) => {
      left -= steps;
      if (left < 0) throw tooAlike(i);
    }),
  );
  const mean = (type: RougeType) =>
    scores.reduce((sum, score) => sum + score[type].fmeasure, 0) / scores.length;
  return {
    rouge1: mean('rouge1'),
    rouge2: mean('rouge2'),
    rougeL: mean('rougeL'),
    rougeLsum: mean('rougeLsum'),
  };
}

function tooAlike(index: number): UserError {
  return new UserError({
    where: `text ${index + 1}`,
    fault: 'and its references have too many short lines with the same words for rougeLsum',
    hint: 'Join their lines, or score fewer texts at once.',
  });
}

/**
 * The scores of a text against its best references.
 *
 * @param spend called with the number of steps taken; called with a negative number to allow steps for more
 * words
 */
export function rougeOfText(
  prediction: string,
  references: readonly string[],
  spend: (steps: number) => void = () => {},
): Record<RougeType, RougeScore> {
  const predicted = new Tokens(prediction);
  const each = references.map((reference) => computeScores(new Tokens(reference), predicted, spend));
  const best = (type: RougeType) =>
    each.map((scores) => scores[type]).reduce((a, b) => (b.fmeasure > a.fmeasure ? b : a));
  return {
    rouge1: best('rouge1'),
    rouge2: best('rouge2'),
    rougeL: best('rougeL'),
    rougeLsum: best('rougeLsum'),
  };
}

class Tokens {
  readonly all: readonly string[];
  /** The words of each line. rougeLsum treats a line as a sentence. */
  readonly lines: readonly (readonly string[])[];

  constructor(text: string) {
    this.all = tokenize(text);
    this.lines = text
      .split('\n')
      .filter((line) => line !== '')
      .map(tokenize);
  }
}

/** Splits a text into words of ASCII letters and digits. Words of more than three characters are stemmed. */
function tokenize(text: string): string[] {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.map((word) => (word.length > 3 ? porterStem(word) : word));
}

function computeScores(
  reference: Tokens,
  predicted: Tokens,
  spend: (steps: number) => void,
): Record<RougeType, RougeScore> {
  const [target, given] = [reference.all, predicted.all];
  spend(-MAX_STEPS_PER_WORD * (target.length + given.length));
  return {
    rouge1: score(sharedNgrams(target, given, 1), target.length, given.length),
    rouge2: score(sharedNgrams(target, given, 2), target.length - 1, given.length - 1),
    rougeL: score(new CommonSubsequences([given]).with(target, spend).size, target.length, given.length),
    rougeLsum: score(unionHits(reference.lines, predicted.lines, spend), target.length, given.length),
  };
}

/**
 * @param hits number of common words
 * @param wanted number of words in the reference
 * @param predicted number of words in the text
 */
function score(hits: number, wanted: number, predicted: number): RougeScore {
  const precision = hits / Math.max(predicted, 1);
  const recall = hits / Math.max(wanted, 1);
  const fmeasure = hits === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { precision, recall, fmeasure };
}

function sharedNgrams(target: readonly string[], prediction: readonly string[], size: number): number {
  const [wanted, there] = [counts(ngrams(target, size)), counts(ngrams(prediction, size))];
  let shared = 0;
  for (const [ngram, count] of wanted) shared += Math.min(count, there.get(ngram) ?? 0);
  return shared;
}

function ngrams(tokens: readonly string[], size: number): string[] {
  return Array.from({ length: Math.max(0, tokens.length - size + 1) }, (_, i) =>
    tokens.slice(i, i + size).join(' '),
  );
}

function counts(items: Iterable<string>): Map<string, number> {
  const found = new Map<string, number>();
  for (const item of items) found.set(item, (found.get(item) ?? 0) + 1);
  return found;
}

/**
 * Number of words in the reference's sentences that belong to a longest common subsequence with any sentence
 * of the text. A word counts at most as often as it occurs in either text.
 */
function unionHits(
  target: readonly (readonly string[])[],
  sentences: readonly (readonly string[])[],
  spend: (steps: number) => void,
): number {
  const [wanted, there] = [counts(target.flat()), counts(sentences.flat())];
  const subsequences = new CommonSubsequences(different(sentences));
  const known = new Map(
    different(target).map((sentence) => [
      sentence.join(' '),
      [...subsequences.with(sentence, spend)].sort((a, b) => a - b),
    ]),
  );
  let hits = 0;
  for (const sentence of target) {
    for (const place of known.get(sentence.join(' '))!) {
      const word = sentence[place]!;
      const [left, leftThere] = [wanted.get(word) ?? 0, there.get(word) ?? 0];
      if (left === 0 || leftThere === 0) continue;
      wanted.set(word, left - 1);
      there.set(word, leftThere - 1);
      hits++;
    }
  }
  return hits;
}

/** Removes duplicate sentences. */
function different(sentences: readonly (readonly string[])[]): (readonly string[])[] {
  return [...new Map(sentences.map((sentence) => [sentence.join(' '), sentence])).values()];
}

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
