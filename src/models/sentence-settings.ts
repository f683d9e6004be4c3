/** How hidden states of tokens become one vector; the names are from sentence-transformers. */
export const POOLING_MODES = ['mean', 'cls', 'lasttoken'] as const;
export type PoolingMode = (typeof POOLING_MODES)[number];

export interface Pooling {
  mode: PoolingMode;
  /** Whether vectors are scaled to length 1. */
  normalize: boolean;
}

/** The settings in sentence-transformers' files, which are in the same folder as config.json. */
export interface SentenceSettings {
  pooling: Pooling;
  /** Texts that may be prepended to an input, by name. */
  prompts: Readonly<Record<string, string>>;
  /** The name of the default prompt, prepended to every text without another prompt. */
  defaultPrompt?: string;
  /** Maximum tokens of a text. */
  maxLength?: number;
  /** A feature of the model that is not supported here. */
  unsupported?: string;
}

/** The defaults of sentence-transformers for a model without settings. */
export const PLAIN_SENTENCE: SentenceSettings = { pooling: { mode: 'mean', normalize: false }, prompts: {} };
