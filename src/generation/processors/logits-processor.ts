/**
 * Changes the scores of a row's next token in place.
 *
 * @param scores [vocab]: logits, or with several beams logarithms of probabilities
 * @param tokens the row so far, its padding included
 * @param item the number of the prompt that the row comes from
 */
export type LogitsProcessor = (scores: Float32Array, tokens: readonly number[], item: number) => void;
