/** How the hidden states of tokens become one vector. The names are from sentence-transformers. */
export const POOLING_MODES = ['mean', 'cls', 'lasttoken'] as const;
export type PoolingMode = (typeof POOLING_MODES)[number];

interface Pooling {
  mode: PoolingMode;
  /** Whether vectors are scaled to length 1. */
  normalize: boolean;
}

/** The settings in sentence-transformers' files, which are in the same folder as config.json. */
export interface SentenceSettings {
  pooling: Pooling;
  /** Texts that can be prepended to an input, by name. */
  prompts: Readonly<Record<string, string>>;
  /** The name of the prompt that is prepended to every text by default. */
  defaultPrompt?: string;
  /** The name of the function that compares vectors. It is only passed on. */
  similarity?: string;
  /** Maximum tokens per text. */
  maxLength?: number;
  /** Whether the model has no files of sentence-transformers, so that these are only its defaults. */
  isAssumed?: boolean;
  /** A feature of the model that this library does not support. */
  unsupported?: string;
}

/** sentence-transformers' defaults for a model without settings. */
export const PLAIN_SENTENCE: SentenceSettings = { pooling: { mode: 'mean', normalize: false }, prompts: {} };

/**
 * sentence-transformers' defaults for a decoder without its files: it pools by the last token. Undefined for any other
 * model. Only this suffix counts, so a GPT2LMHeadModel is pooled by the mean.
 */
export function assumedSentence({ architectures }: Record<string, unknown>): SentenceSettings | undefined {
  const [architecture] = Array.isArray(architectures) ? architectures : [];
  if (!String(architecture).endsWith('ForCausalLM')) return undefined;
  return { ...PLAIN_SENTENCE, pooling: { ...PLAIN_SENTENCE.pooling, mode: 'lasttoken' }, isAssumed: true };
}
