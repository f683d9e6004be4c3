import type { Tensors } from '../../engine/runtime/session.ts';
import type { Batch } from '../../input/text/batches.ts';
import { NO_WORD } from '../../input/text/encode-words.ts';
import { checkFinite } from '../../program/check-finite.ts';
import { someExamples } from '../../program/example-set.ts';
import type { Texts } from '../../program/modalities/texts.ts';
import { IGNORED_LABEL, labeledRows } from '../../program/objectives/labeled-rows.ts';
import { modelFeeds } from '../../program/objectives/model-inputs.ts';
import { predictBatches } from '../../program/predict-batches.ts';
import type { Predictor } from '../../program/program.ts';
import { UserError } from '../../support/user-error.ts';

/** The first pieces of an input's words. Truncated words and words without pieces are missing. */
interface FirstPieces {
  /** Indices of the words, from 0, ascending: [words]. */
  words: Int32Array;
  /** Positions of the words' first pieces: [words]. A first piece has the word's label and predicts its tag. */
  positions: Int32Array;
}

/**
 * Finds the first piece of each word.
 *
 * @param wordIds [length], see `wordEncoder`
 */
export function firstPieces(wordIds: Int32Array): FirstPieces {
  const positions = Int32Array.from(wordIds.keys()).filter(
    (at) => wordIds[at] !== NO_WORD && wordIds[at] !== wordIds[at - 1],
  );
  return { words: positions.map((at) => wordIds[at]!), positions };
}

/**
 * Computes the logits (or other values of tokens) of the first pieces of each example's words, in order: [words, labels]
 * row-major.
 *
 * @param chosen indices of the examples; by default all
 */
export async function predictWords(
  program: Predictor,
  values: Float32Array,
  set: WordExamples,
  batchSize: number,
  chosen: Int32Array = Int32Array.from(set.lengths.keys()),
): Promise<Float32Array[]> {
  const predicted = new Array<Float32Array>(chosen.length);
  // Logits are sequence-major: the first position of all examples, then the second.
  for (const { examples, logits } of await predictBatches(
    program,
    values,
    someExamples(set, chosen),
    batchSize,
  )) {
    const length = examples.reduce((most, i) => Math.max(most, set.lengths[chosen[i]!]!), 0);
    const width = logits.length / (length * examples.length);
    examples.forEach((i, column) => {
      const { positions } = set.firstPieces[chosen[i]!]!;
      const rows = new Float32Array(positions.length * width);
      positions.forEach((position, word) => {
        const start = (position * examples.length + column) * width;
        rows.set(logits.subarray(start, start + width), word * width);
      });
      predicted[i] = rows;
    });
  }
  checkFinite(predicted);
  return predicted;
}

/** Sentences in the form that a token classifier reads. */
interface WordExamples {
  /** Number of tokens of each example. */
  readonly lengths: Int32Array;
  /** Number of truncated sentences. */
  readonly truncated: number;
  /** Index of each example's sentence. Sentences without any piece are skipped. */
  readonly sentences: Int32Array;
  /** The same as `sentences`, under the name that all tasks use. */
  readonly rows: Int32Array;
  /** The first pieces of each example's words. */
  readonly firstPieces: readonly FirstPieces[];
  /** Returns some examples as one batch. Its weight is the number of labeled tokens. */
  batch(examples: Int32Array): { feeds: Tensors; weight: number };
}

/**
 * Builds one example per sentence, with labels only on the first pieces of words.
 *
 * @param tagIds the label of each word of each sentence; without them, the batches are for prediction only
 * @throws UserError for labeled sentences without a piece to learn from
 */
export function wordExamples(
  sentences: readonly { words: readonly string[] }[],
  texts: Texts,
  tagIds?: readonly Int32Array[],
): WordExamples {
  const encode = texts.wordEncoder();
  const examples = sentences.flatMap(({ words }, sentence) => {
    const { wordIds, ...encoding } = encode(words);
    const pieces = firstPieces(wordIds);
    return pieces.words.length === 0 ? [] : { sentence, encoding, pieces };
  });
  if (tagIds && examples.length === 0) {
    throw new UserError({ where: 'the words', fault: 'have no tokens in this model', code: 'unsupported' });
  }
  return {
    lengths: Int32Array.from(examples, ({ encoding }) => encoding.inputIds.length),
    truncated: examples.filter(({ encoding }) => encoding.truncated).length,
    sentences: Int32Array.from(examples, ({ sentence }) => sentence),
    rows: Int32Array.from(examples, ({ sentence }) => sentence),
    firstPieces: examples.map(({ pieces }) => pieces),
    batch(chosen) {
      const parts = Array.from(chosen, (example) => examples[example]!);
      const batch = texts.padded(parts.map(({ encoding }) => encoding));
      const feeds = modelFeeds(batch);
      if (!tagIds) return { feeds, weight: chosen.length };
      const labels = labeledRows(listLabels(parts, tagIds, batch), batch.batch, batch.length, false);
      return { feeds: { ...feeds, ...labels }, weight: labels.labels!.data.length };
    },
  };
}

/** Labels [batch, length], row-major. */
function listLabels(
  examples: readonly { sentence: number; pieces: FirstPieces }[],
  tagIds: readonly Int32Array[],
  { batch, length }: Batch,
): Int32Array {
  const labels = new Int32Array(batch * length).fill(IGNORED_LABEL);
  examples.forEach(({ sentence, pieces: { words, positions } }, row) => {
    words.forEach((word, i) => {
      labels[row * length + positions[i]!] = tagIds[sentence]![word]!;
    });
  });
  return labels;
}
