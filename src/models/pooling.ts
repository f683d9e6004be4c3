/** How hidden states of tokens become one vector, by the names of sentence-transformers. */
export const POOLING_MODES = ['mean', 'cls', 'lasttoken'] as const;
export type PoolingMode = (typeof POOLING_MODES)[number];

export interface Pooling {
  mode: PoolingMode;
  /** Whether vectors are scaled to length 1. */
  normalize: boolean;
}

/** Of a model that says nothing, as in sentence-transformers. */
export const PLAIN_POOLING: Pooling = { mode: 'mean', normalize: false };
