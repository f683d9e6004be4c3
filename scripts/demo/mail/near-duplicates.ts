import { Random } from '../../../src/support/random.ts';

/** How many words of a text are compared, slightly more than the model reads. */
const WORDS = 150;
/** Number of words in a shingle. */
const SHINGLE = 3;
/**
 * Number of smallest hashes that are kept per text. They form bands of `BAND` hashes; texts with a common
 * band are compared.
 */
const HASHES = 96;
const BAND = 3;
/**
 * Texts with this many equal words at their start are duplicates, such as replies that quote the same letter,
 * or issues of a newsletter.
 */
const OPENING = 20;
/** Texts are duplicates if they have at least this share of shingles in common (Jaccard). */
const ALIKE = 0.5;

/**
 * Groups near-duplicate texts. For each text, returns the index of the first text in its group. MinHash
 * (Broder 1997) finds candidates, and their shingles decide. Texts with the same start are always grouped.
 * Case, numbers, addresses and punctuation are ignored.
 */
export function nearDuplicates(texts: readonly string[]): number[] {
  const random = new Random(0, 'minhash');
  const keys = Array.from({ length: HASHES }, () => [
    random.integer(2 ** 31) * 2 + 1,
    random.integer(2 ** 31),
  ]);
  const words = texts.map(wordsOf);
  const shingles = words.map(shinglesOf);
  const first = texts.map((_, i) => i);
  const rootOf = (i: number): number => {
    while (first[i] !== i) i = first[i]!;
    return i;
  };
  const join = (i: number, j: number) => {
    const [a, b] = [rootOf(i), rootOf(j)];
    first[Math.max(a, b)] = Math.min(a, b);
  };
  const openings = new Map<string, number>();
  words.forEach((list, i) => {
    if (list.length < OPENING) return;
    const opening = list.slice(0, OPENING).join(' ');
    const other = openings.get(opening);
    if (other === undefined) openings.set(opening, i);
    else join(other, i);
  });
  const seen = new Map<string, number[]>();
  shingles.forEach((set, i) => {
    for (const band of bandsOf(set, keys)) {
      const others = seen.get(band) ?? [];
      for (const other of others) {
        if (rootOf(other) !== rootOf(i) && jaccard(shingles[other]!, set) >= ALIKE) join(other, i);
      }
      seen.set(band, [...others, i]);
    }
  });
  return first.map(rootOf);
}

function wordsOf(text: string): string[] {
  const plain = text.toLowerCase().replace(/\S+@\S+|https?:\S+|\d+/g, ' ');
  return plain.match(/[\p{L}']+/gu)?.slice(0, WORDS) ?? [];
}

function shinglesOf(words: readonly string[]): Set<number> {
  const shingles = new Set<number>();
  for (let i = 0; i <= Math.max(0, words.length - SHINGLE); i++)
    shingles.add(hash(words.slice(i, i + SHINGLE).join(' ')));
  return shingles;
}

function bandsOf(shingles: ReadonlySet<number>, keys: readonly number[][]): string[] {
  const smallest = keys.map(([factor, offset]) => {
    let least = 2 ** 32;
    for (const shingle of shingles) {
      const mixed = Math.imul(shingle ^ offset!, factor!);
      least = Math.min(least, (mixed ^ (mixed >>> 15)) >>> 0);
    }
    return least;
  });
  return Array.from({ length: HASHES / BAND }, (_, band) =>
    [band, ...smallest.slice(band * BAND, (band + 1) * BAND)].join(' '),
  );
}

function jaccard(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  let common = 0;
  for (const shingle of a) if (b.has(shingle)) common++;
  return common / (a.size + b.size - common);
}

/** The FNV-1a hash. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
