/**
 * Changes the scores of a row's next token in place.
 *
 * @param scores [vocab]: logits, or with several beams log probabilities
 * @param tokens the row so far, including padding
 * @param item the index of the row's prompt
 */
export type LogitsProcessor = (scores: Float32Array, tokens: readonly number[], item: number) => void;
