import type { Dimension } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import type { AttentionCache } from '../nn/attention-cache.ts';
import type { EncodedRows } from '../nn/encoder-layers.ts';
import type { Network } from '../nn/network.ts';
import type { HeadKind } from './heads/registry.ts';
import type { SentenceSettings } from './sentence-settings.ts';

/**
 * A batch of token sequences, sequence-major: row s of `inputIds` holds token s of every example, so that a row of the
 * flattened hidden states is position · batch + example. A model reads what it needs; only that becomes an input of
 * its graph.
 */
export interface ModelInputs {
  /** int32 [sequence, batch]; of an encoder-decoder those of the encoder. */
  inputIds: Value;
  /** int32 [sequence, batch]; for models that tell segments apart. */
  tokenTypeIds: Value;
  /** int32 [sequence, batch]; for decoders, which count positions from the first real token of a document. */
  positionIds: Value;
  /**
   * int32 [batch, keys]: 0 padding, 1 real; decoders see equal numbers as one document. `keys` is `sequence` after
   * what a cache holds.
   */
  attentionMask: Value;
  batch: Dimension;
  sequence: Dimension;
  /** int32 [target, batch]: the tokens that the decoder of an encoder-decoder reads. */
  decoderInputIds: Value;
  target: Dimension;
  /** int32 [n]: the rows of the (decoder's) hidden states for which a head by token gives logits; by default all. */
  logitRows?: Value;
  /** Whether the last layer is computed for all tokens also where a head reads the first ones alone. */
  everyRow?: boolean;
  /** Told the hidden states of all tokens by a head that pools them. */
  onTokens?(hidden: Value): void;
  /** Where a decoder keeps what it has read; without a cache it reads from the start. */
  cache?: AttentionCache;
}

/** What the rest of the program needs to know of any model's config.json. */
export interface CommonConfig {
  vocabSize: number;
  /** How many segments the model tells apart; 0 or 1 for models that do not. */
  typeVocabSize: number;
  /** The longest sequence, special tokens included, that the positions allow. */
  maxLength: number;
  numLabels: number;
  /** Class names of the checkpoint by id, where it has any. */
  id2label: Readonly<Record<string, string>>;
  /** Standard deviation of newly initialised weights. */
  initializerRange: number;
  /** The same of one of them, where a family draws each by its own. */
  deviationOf?(name: string, shape: readonly number[]): number;
  padTokenId?: number;
  /** How the model makes vectors of texts, if its files say so. */
  sentence?: SentenceSettings;
  /** Whether a token's hidden state depends on the length of the text, so that a prompt must be read in one piece. */
  readsWhole?: boolean;
  /** The token with which the decoder of an encoder-decoder starts. */
  decoderStartTokenId?: number;
}

/** A head of a model family, on its base model. */
export interface Head<Config extends CommonConfig = CommonConfig> {
  /** Its name among the `architectures` of a config.json, such as "BertForSequenceClassification". */
  readonly architecture: string;
  /** Prefix of the base model's parameters under this head, where it is not the family's. */
  readonly baseModelPrefix?: string;
  /** Modules of the head: they are trained as a whole, saved with the adapter, and initialised where absent. */
  readonly modules: readonly string[];
  /** Further modules that a checkpoint may lack, as a pooler; then they are initialised, trained and saved too. */
  readonly mayLack?: readonly string[];
  /** Features of its output, if there are no labels: then `numLabels` is that. */
  outputs?(config: Config): number;
  /** Logits with the axes of its kind; of heads by token those of the `logitRows`, if there are any. */
  build(network: Network, config: Config, inputs: ModelInputs): Value;
}

/** The base model of a family: its last layer's hidden states, [sequence · batch, width] or [batch, width]. */
export type Encode<Config> = (
  network: Network,
  config: Config,
  inputs: ModelInputs,
  rows?: EncodedRows,
) => Value;

/** The modules that a method adapts where a config names none: it takes the few or the many. */
interface TargetModules {
  /** PEFT's for LoRA. */
  readonly few: readonly string[];
  /** The six matrices a layer of the paper of AdaLoRA (encoders, BART), else PEFT's for it. */
  readonly many: readonly string[];
}

/** A model family: how to read its config and how to build its graph. One per Hugging Face `model_type`. */
export interface ModelDefinition<Config extends CommonConfig = CommonConfig> {
  readonly modelType: string;
  /** Prefix of the base model's parameters; a checkpoint of the base model alone lacks it. '': they have none. */
  readonly baseModelPrefix: string;
  readonly targetModules: TargetModules;
  /** Other names under which a checkpoint may have a tied parameter. */
  readonly tiedNames?: Readonly<Record<string, readonly string[]>>;
  /** Whether it is a decoder without an encoder. */
  readonly isDecoder?: boolean;
  /** @throws UserError listing everything that is wrong with the file */
  parseConfig(json: unknown, where: string): Config;
  readonly heads: Readonly<Partial<Record<HeadKind, Head<Config>>>>;
}
