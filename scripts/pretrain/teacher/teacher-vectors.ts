import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { f16ToF32, f32ToF16 } from '../../../src/input/formats/float.ts';
import { atomicWrite } from '../../../src/input/store/node/atomic-write.ts';
import { collate } from '../../../src/input/text/batches.ts';
import type { TextTokenizer } from '../../../src/input/text/tokenizer.ts';
import { modelFeeds } from '../../../src/program/objectives/model-inputs.ts';
import { type ChunkStore, chunkTokens } from '../corpus/chunk-store.ts';
import type { TeacherModel } from './teacher-model.ts';

/**
 * The teacher's vectors of each chunk, stored on disk as f16. The first is the vector of the whole chunk: the
 * mean over its tokens, which is the sentence embedding before normalization. Then each word has a vector:
 * the mean over the word's tokens. A chunk's vectors are computed on first use.
 */
export class TeacherVectors {
  readonly #teacher: TeacherModel;
  readonly #tokenizer: TextTokenizer;
  readonly #store: ChunkStore;
  readonly #path: string;
  readonly #file: number;
  /** For each chunk, 1 if its vectors are in the file. */
  readonly #done: Uint8Array;

  constructor(teacher: TeacherModel, tokenizer: TextTokenizer, store: ChunkStore, path: string) {
    this.#teacher = teacher;
    this.#tokenizer = tokenizer;
    this.#store = store;
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
    this.#file = openSync(path, existsSync(path) ? 'r+' : 'w+');
    const notes = `${path}.done`;
    this.#done = existsSync(notes)
      ? new Uint8Array(readFileSync(notes))
      : new Uint8Array(store.starts.length - 1);
  }

  /** Number of chunks that have vectors. */
  get ready(): number {
    return this.#done.reduce((sum, is) => sum + is, 0);
  }

  /** Returns `count` chunks. Chunks that have vectors come first. */
  cheapest(count: number): Int32Array {
    const order = Array.from(this.#done.keys()).sort((a, b) => this.#done[b]! - this.#done[a]! || a - b);
    return Int32Array.from(order.slice(0, count)).sort();
  }

  /** Returns f32 vectors for each of the chunks: the chunk's own, then those of its words. */
  async of(chunks: Int32Array): Promise<Float32Array[]> {
    await this.compute(chunks.filter((chunk) => this.#done[chunk] === 0));
    return Array.from(chunks, (chunk) => {
      const { at, length } = this.#place(chunk);
      const bytes = new Uint8Array(length);
      if (readSync(this.#file, bytes, 0, length, at) !== length)
        throw new Error(`${this.#path} is too short`);
      return f16ToF32(new Uint16Array(bytes.buffer));
    });
  }

  /** Computes the vectors of chunks in one batch. */
  async compute(chunks: Int32Array): Promise<void> {
    if (chunks.length === 0) return;
    const { width, session } = this.#teacher;
    const { before, after } = this.#tokenizer.frame();
    const parts = Array.from(chunks, (chunk) => chunkTokens(this.#store, this.#store.teacher, chunk));
    const batch = collate(
      parts.map(({ tokens }) => {
        const inputIds = Int32Array.from([...before, ...tokens, ...after]);
        return { inputIds, tokenTypeIds: new Int32Array(inputIds.length), truncated: false };
      }),
      this.#tokenizer.padId,
    );
    const { hidden } = await session.run(modelFeeds(batch));
    parts.forEach(({ tokens, wordStarts }, row) => {
      const vectors = new Float32Array(wordStarts.length * width);
      const mean = (from: number, to: number, at: number) => {
        const vector = vectors.subarray(at * width, (at + 1) * width);
        for (let position = from; position < to; position++) {
          const start = (position * batch.batch + row) * width;
          for (let i = 0; i < width; i++) vector[i]! += hidden!.data[start + i]! / (to - from);
        }
      };
      mean(0, tokens.length + before.length + after.length, 0);
      for (let word = 1; word < wordStarts.length; word++) {
        const [start, end] = [wordStarts[word - 1], wordStarts[word]];
        mean(before.length + start! - wordStarts[0]!, before.length + end! - wordStarts[0]!, word);
      }
      writeAll(this.#file, f32ToF16(vectors), this.#place(chunks[row]!).at);
      this.#done[chunks[row]!] = 1;
    });
  }

  /** Records on disk which vectors exist. */
  save(): void {
    atomicWrite(`${this.#path}.done`, this.#done);
  }

  close(): void {
    closeSync(this.#file);
  }

  /** The range of a chunk's bytes in the file. */
  #place(chunk: number): { at: number; length: number } {
    const [start, end] = [this.#store.starts[chunk], this.#store.starts[chunk + 1]];
    const bytes = 2 * this.#teacher.width;
    return { at: (start! + chunk) * bytes, length: (end! - start! + 1) * bytes };
  }
}

function writeAll(file: number, values: Uint16Array, at: number): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < bytes.length; )
    done += writeSync(file, bytes, done, bytes.length - done, at + done);
}
