/** How hidden states of tokens become one vector, by the names of sentence-transformers. */
export const POOLING_MODES = ['mean', 'cls', 'lasttoken'] as const;
export type PoolingMode = (typeof POOLING_MODES)[number];

export interface Pooling {
  mode: PoolingMode;
  /** Whether vectors are scaled to length 1. */
  normalize: boolean;
}

/** What sentence-transformers' files say of a model beside its config.json. */
export interface SentenceSettings {
  pooling: Pooling;
  /** What may be put before a text, by name. */
  prompts: Readonly<Record<string, string>>;
  /** The name of the prompt that every text gets, if nothing else is said. */
  defaultPrompt?: string;
  /** Tokens of a text. */
  maxLength?: number;
  /** What the model does that is not computed here. */
  unsupported?: string;
}

/** Of a model that says nothing, as in sentence-transformers. */
export const PLAIN_SENTENCE: SentenceSettings = { pooling: { mode: 'mean', normalize: false }, prompts: {} };
