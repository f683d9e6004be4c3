import type { Baseline } from './baseline.ts';

/** Token ids, possibly in several parts; only their counts matter. */
type Tokens = Iterable<ArrayLike<number>>;

/**
 * A language model that ignores the context. The probability of a token is its share of the training tokens. One is
 * added to every count, so that unseen tokens have a probability too (Laplace's rule).
 *
 * @param train the tokens that the model learns to predict
 * @param scored the tokens that it is scored on
 */
export function unigramBaseline(train: Tokens, scored: Tokens, vocabSize: number): Baseline {
  const counts = new Float64Array(vocabSize).fill(1);
  let total = vocabSize;
  for (const part of train) {
    total += part.length;
    for (let i = 0; i < part.length; i++) counts[part[i]]++;
  }
  let [sum, tokens] = [0, 0];
  for (const part of scored) {
    tokens += part.length;
    for (let i = 0; i < part.length; i++) sum += Math.log(total / counts[part[i]]);
  }
  const loss = sum / tokens;
  return { name: 'a unigram model', isBlind: true, scores: { loss, perplexity: Math.exp(loss) } };
}
