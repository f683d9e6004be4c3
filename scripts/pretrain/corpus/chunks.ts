import type { TextTokenizer } from '../../../src/input/text/tokenizer.ts';
import { Random } from '../../../src/support/random.ts';
import type { Document } from './documents.ts';
import { sentences } from './sentences.ts';
import { type WordTokens, wordTokens } from './word-tokens.ts';

/** Consecutive sentences as tokens of two tokenizers, which agree on word boundaries. */
export interface Chunk {
  student: WordTokens;
  teacher: WordTokens;
}

/** Minimum length; shorter chunks add little. */
const MIN_TOKENS = 6;

/**
 * Splits documents into groups of whole sentences. Groups have all lengths up to `room` tokens, because later
 * inputs may be sentences or pages. A longer sentence is split between words.
 */
export function* chunks(
  documents: Iterable<Document>,
  student: TextTokenizer,
  teacher: TextTokenizer,
  room: number,
  seed: number,
): Generator<Chunk> {
  const random = new Random(seed, 'chunk lengths');
  for (const { paragraphs } of documents) {
    let chunk = empty();
    let wanted = random.integer(room);
    for (const sentence of paragraphs.flatMap(sentences)) {
      const own = wordTokens(student, sentence);
      const others = wordTokens(teacher, sentence);
      if (own.lengths.length !== others.lengths.length) continue;
      const { tokens } = chunk.student;
      const isFull = tokens.length >= wanted || tokens.length + own.tokens.length > room;
      if (isFull && tokens.length >= MIN_TOKENS) {
        yield chunk;
        chunk = empty();
        wanted = random.integer(room);
      }
      for (const [from, to] of within(own.lengths, room, chunk.student.tokens.length)) {
        if (from > 0) {
          yield chunk;
          chunk = empty();
        }
        append(chunk.student, own, from, to);
        append(chunk.teacher, others, from, to);
      }
    }
    if (chunk.student.tokens.length >= MIN_TOKENS) yield chunk;
  }
}

function empty(): Chunk {
  return { student: { tokens: [], lengths: [] }, teacher: { tokens: [], lengths: [] } };
}

/**
 * Splits words of the given lengths into groups of at most `room` tokens. The first group has already `taken`
 * tokens.
 */
function within(lengths: readonly number[], room: number, taken: number): [from: number, to: number][] {
  const runs: [number, number][] = [];
  let from = 0;
  let tokens = taken;
  lengths.forEach((length, word) => {
    if (tokens + length > room && word > from) {
      runs.push([from, word]);
      from = word;
      tokens = 0;
    }
    tokens += length;
  });
  return [...runs, [from, lengths.length]];
}

function append(to: WordTokens, { tokens, lengths }: WordTokens, from: number, end: number): void {
  const before = sum(lengths.slice(0, from));
  const taken = lengths.slice(from, end);
  to.tokens.push(...tokens.slice(before, before + sum(taken)));
  to.lengths.push(...taken);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
