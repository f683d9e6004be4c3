import type { StoredTensor, TensorData } from '../../../src/input/formats/tensor-data.ts';
import { Random } from '../../../src/support/random.ts';
import { readSafetensors, writeSafetensors } from '../../../tests/support/safetensors-file.ts';
import type { Chunk } from './chunks.ts';
import type { WordTokens } from './word-tokens.ts';

/** All chunks as tokens of one tokenizer. Chunk c consists of the words [starts[c], starts[c + 1]). */
export interface TokenColumn {
  tokens: Uint16Array;
  /** The position of each word's first token in `tokens`. The last element is the number of tokens. */
  words: Int32Array;
}

/** All chunks in random order, so that every prefix is a sample of the whole. */
export interface ChunkStore {
  /** The index of each chunk's first word. The last element is the number of words. */
  starts: Int32Array;
  student: TokenColumn;
  teacher: TokenColumn;
}

export function writeChunks(path: string, chunks: readonly Chunk[], seed: number): void {
  const order = new Random(seed, 'chunk order').permutation(chunks.length);
  const shuffled = Array.from(order, (at) => chunks[at]!);
  const student = column(shuffled.map((chunk) => chunk.student));
  const teacher = column(shuffled.map((chunk) => chunk.teacher));
  writeSafetensors(
    path,
    new Map([
      stored('starts', 'I32', offsets(shuffled.map(({ student: { lengths } }) => lengths.length))),
      stored('student.words', 'I32', student.words),
      stored('teacher.words', 'I32', teacher.words),
      // The file format has no unsigned 16-bit integers, so their bits are stored as signed ones. No
      // tokenizer here has more than 2^16 tokens.
      stored('student.tokens', 'I16', new Int16Array(student.tokens.buffer)),
      stored('teacher.tokens', 'I16', new Int16Array(teacher.tokens.buffer)),
    ]),
  );
}

export function readChunks(path: string): ChunkStore {
  const file = readSafetensors(path);
  const read = <T>(name: string) => file.get(name)?.data as T;
  const column = (name: string): TokenColumn => {
    const { buffer, byteOffset, length } = read<Int16Array>(`${name}.tokens`);
    return { tokens: new Uint16Array(buffer, byteOffset, length), words: read(`${name}.words`) };
  };
  return { starts: read('starts'), student: column('student'), teacher: column('teacher') };
}

/** The tokens of a chunk, and the position of each word's first token. */
export function chunkTokens({ starts }: ChunkStore, { tokens, words }: TokenColumn, chunk: number) {
  const wordStarts = words.subarray(starts[chunk], starts[chunk + 1]! + 1);
  return { tokens: tokens.subarray(wordStarts[0], wordStarts.at(-1)), wordStarts };
}

/** Number of tokens in each chunk. */
export function chunkLengths({ starts }: ChunkStore, { words }: TokenColumn): Int32Array {
  return Int32Array.from(
    { length: starts.length - 1 },
    (_, chunk) => words[starts[chunk + 1]!]! - words[starts[chunk]!]!,
  );
}

function column(chunks: readonly WordTokens[]): TokenColumn {
  const tokens = new Uint16Array(chunks.reduce((sum, chunk) => sum + chunk.tokens.length, 0));
  const words = new Int32Array(chunks.reduce((sum, { lengths }) => sum + lengths.length, 1));
  let token = 0;
  let word = 0;
  for (const chunk of chunks) {
    tokens.set(chunk.tokens, token);
    token += chunk.tokens.length;
    for (const length of chunk.lengths) words[word + 1] = words[word++]! + length;
  }
  return { tokens, words };
}

function offsets(lengths: readonly number[]): Int32Array {
  const result = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    result[i + 1] = result[i]! + length;
  });
  return result;
}

function stored(name: string, dtype: 'I32' | 'I16', data: TensorData): [string, StoredTensor] {
  return [name, { dtype, shape: [data.length], data }];
}
