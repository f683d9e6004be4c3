import type { Tensors } from '../../../src/engine/runtime/session.ts';
import { collate } from '../../../src/input/text/batches.ts';
import type { TextTokenizer } from '../../../src/input/text/tokenizer.ts';
import { labeledRows } from '../../../src/program/objectives/labeled-rows.ts';
import {
  type MaskingSettings,
  type MaskingVocabulary,
  maskTokens,
} from '../../../src/program/objectives/mask-tokens.ts';
import { modelFeeds } from '../../../src/program/objectives/model-inputs.ts';
import { Random } from '../../../src/support/random.ts';
import { type ChunkStore, chunkTokens } from '../corpus/chunk-store.ts';
import type { TeacherVectors } from '../teacher/teacher-vectors.ts';
import type { ObjectiveName } from './objective.ts';
import type { Scale, TargetScales } from './target-scale.ts';

const MASKING: MaskingSettings = {
  mlm_probability: 0.15,
  mask_replace_prob: 0.8,
  random_replace_prob: 0.1,
  whole_word_mask: true,
};

export interface Teaching {
  vectors: TeacherVectors;
  scales: TargetScales;
  width: number;
}

/** Makes the inputs of training steps from chunks. */
export class Batches {
  readonly #store: ChunkStore;
  readonly #tokenizer: TextTokenizer;
  readonly #objective: ObjectiveName;
  readonly #teaching: Teaching | undefined;
  readonly #vocabulary: MaskingVocabulary;

  /** @param teaching only needed for objectives with a teacher */
  constructor(store: ChunkStore, tokenizer: TextTokenizer, objective: ObjectiveName, teaching?: Teaching) {
    this.#store = store;
    this.#tokenizer = tokenizer;
    this.#objective = objective;
    this.#teaching = teaching;
    this.#vocabulary = {
      maskId: tokenizer.idOf('mask_token') as number,
      vocabSize: tokenizer.vocabSize,
      specialIds: tokenizer.specialIds,
      wordStarts: tokenizer.wordStarts(),
    };
  }

  /** @param number the batch's number; equal numbers give equal masks */
  async feeds(chunks: Int32Array, seed: number, number: number): Promise<{ feeds: Tensors; tokens: number }> {
    const { before, after } = this.#tokenizer.frame();
    const parts = Array.from(chunks, (chunk) => chunkTokens(this.#store, this.#store.student, chunk));
    const batch = collate(
      parts.map(({ tokens }) => {
        const inputIds = Int32Array.from([...before, ...tokens, ...after]);
        return { inputIds, tokenTypeIds: new Int32Array(inputIds.length), truncated: false };
      }),
      this.#tokenizer.padId,
    );
    const { inputIds, attentionMask, length } = batch;
    const tokens = parts.reduce((sum, part) => sum + part.tokens.length, 0);
    let labels: Tensors = {};
    if (this.#objective !== 'distil') {
      const random = new Random(seed, 'masking', number);
      const masked = maskTokens(
        { ids: inputIds, attentionMask, length },
        { random, settings: MASKING, vocabulary: this.#vocabulary },
      );
      labels = labeledRows(masked, batch.batch, length, false);
    }
    const targets =
      this.#teaching && this.#objective !== 'mlm'
        ? await teacherTargets(chunks, parts, before.length, this.#teaching)
        : {};
    return { feeds: { ...modelFeeds(batch), ...labels, ...targets }, tokens };
  }
}

/** The position of each word's first token, and the teacher's vectors for the words and the chunk. */
async function teacherTargets(
  chunks: Int32Array,
  parts: readonly { wordStarts: Int32Array }[],
  offset: number,
  { vectors, scales, width }: Teaching,
): Promise<Tensors> {
  const words = parts.reduce((sum, { wordStarts }) => sum + wordStarts.length - 1, 0);
  const rows = new Int32Array(words);
  const wordTargets = new Float32Array(words * width);
  const chunkTargets = new Float32Array(chunks.length * width);
  let word = 0;
  (await vectors.of(chunks)).forEach((found, example) => {
    const { wordStarts } = parts[example]!;
    scaled(found, 0, scales.chunks, chunkTargets, example * width);
    for (let i = 1; i < wordStarts.length; i++, word++) {
      rows[word] = (offset + wordStarts[i - 1]! - wordStarts[0]!) * chunks.length + example;
      scaled(found, i * width, scales.words, wordTargets, word * width);
    }
  });
  return {
    word_rows: { data: rows, dims: [words] },
    word_targets: { data: wordTargets, dims: [words, width] },
    chunk_targets: { data: chunkTargets, dims: [chunks.length, width] },
  };
}

function scaled(
  from: Float32Array,
  at: number,
  { mean, factor }: Scale,
  to: Float32Array,
  start: number,
): void {
  for (let i = 0; i < mean.length; i++) to[start + i] = (from[at + i]! - mean[i]!) * factor[i]!;
}
