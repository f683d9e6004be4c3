import { fitLinear, type LinearLoss, linearScores } from './linear-model.ts';
import { TfIdf } from './tf-idf.ts';
import { wordsOf } from './words-of.ts';

/** Limits that keep a fit to a few seconds. */
const LIMITS = {
  /** Maximum number of weights; beyond it, the rarest words are dropped. */
  weights: 1e6,
  /** Maximum product of characters and outputs; beyond it, only evenly spaced rows are used. */
  characters: 2e7,
};

interface Texts {
  text: string;
  textPair?: string;
}

/** Training rows of a bag of words. */
export interface LearntRows {
  texts: readonly Texts[];
  /** As in `fitLinear`. */
  targets: ArrayLike<number>;
  /** Numbers predicted per row. */
  outputs: number;
  loss: LinearLoss;
}

/**
 * Fits a linear model on the TF-IDF of words and applies it to other texts. Word order is ignored. The fit is
 * deterministic and takes a second or two for some thousand rows.
 *
 * @returns [texts, outputs] for `others`
 */
export async function bagOfWords(
  learnt: LearntRows,
  others: readonly Texts[],
  limits = LIMITS,
): Promise<Float64Array> {
  const { texts, targets, outputs, loss } = sampled(learnt, limits.characters);
  const words = texts.map(wordsOfTexts);
  const features = new TfIdf(words, Math.ceil(limits.weights / outputs));
  const weights = await fitLinear(features.rows(words), features.width, targets, outputs, loss);
  return linearScores(features.rows(others.map(wordsOfTexts)), weights, outputs);
}

/**
 * The words of a text or of a pair. Words of the second text are marked, so that they differ from those of
 * the first.
 */
function wordsOfTexts({ text, textPair }: Texts): string[] {
  if (textPair === undefined) return wordsOf(text);
  return [...wordsOf(text), ...wordsOf(textPair).map((word) => `2 ${word}`)];
}

function sampled(learnt: LearntRows, mostCharacters: number): LearntRows {
  const { texts, targets, outputs } = learnt;
  const length = ({ text, textPair = '' }: Texts) => text.length + textPair.length;
  const cost = outputs * texts.reduce((sum, row) => sum + length(row), 0);
  const count = Math.ceil(texts.length * Math.min(1, mostCharacters / Math.max(1, cost)));
  if (count === texts.length) return learnt;
  const rows = Array.from({ length: count }, (_, i) => Math.floor((i * texts.length) / count));
  const width = targets.length / texts.length;
  return {
    ...learnt,
    texts: rows.map((row) => texts[row]!),
    targets: rows.flatMap((row) => Array.from({ length: width }, (_, k) => targets[row * width + k]!)),
  };
}
