import type { Value } from '../../engine/graph/graph.ts';

/** Trained tokens before those of every text. All documents of a batch see them. */
export interface VirtualTokens {
  readonly count: number;
  /** Their word embeddings [count, width]; undefined if they only have keys and values. */
  readonly embeddings?: Value;
  /** Their keys or values [count, width], if they have no embeddings: by attention module, then `key` or `value`. */
  states?(name: string): Value;
}
