import type { Dimension } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import type { AttentionCache } from '../nn/attention-cache.ts';
import type { EncodedRows } from '../nn/encoder-layers.ts';
import type { Network } from '../nn/network.ts';
import type { HeadKind } from './heads/registry.ts';
import type { SentenceSettings } from './sentence-settings.ts';

/**
 * A batch of token sequences, sequence-major: row s of `inputIds` holds token s of every example, so that a row of
 * the flattened hidden states is position · batch + example. Only the inputs that a model reads become inputs of its
 * graph.
 */
export interface ModelInputs {
  /** int32 [sequence, batch]; for an encoder-decoder, the encoder's tokens. */
  inputIds: Value;
  /** int32 [sequence, batch]; for models that distinguish segments. */
  tokenTypeIds: Value;
  /** int32 [sequence, batch]; for decoders, which count positions from the first real token of a document. */
  positionIds: Value;
  /**
   * int32 [batch, keys]: 0 padding, 1 real. Decoders treat tokens with equal numbers as one document. `keys` is
   * `sequence` plus the cached tokens.
   */
  attentionMask: Value;
  batch: Dimension;
  sequence: Dimension;
  /** int32 [target, batch]: the decoder's tokens in an encoder-decoder. */
  decoderInputIds: Value;
  target: Dimension;
  /** int32 [n]: the rows of the (decoder's) hidden states for which a head by token computes logits; by default all. */
  logitRows?: Value;
  /** Whether the last layer is computed for all tokens even if a head reads only the first ones. */
  everyRow?: boolean;
  /** Called by a head that pools, with the hidden states of all tokens. */
  onTokens?(hidden: Value): void;
  /** Storage of the keys and values that a decoder has read; without a cache, it reads from the start. */
  cache?: AttentionCache;
}

/** The facts from a config.json that the rest of the program needs for every model. */
export interface CommonConfig {
  vocabSize: number;
  /** The number of segments that the model distinguishes; 0 or 1 for models without segments. */
  typeVocabSize: number;
  /** The longest sequence, special tokens included, that the positions allow. */
  maxLength: number;
  numLabels: number;
  /** Class names of the checkpoint by id, if it has any. */
  id2label: Readonly<Record<string, string>>;
  /** Standard deviation of newly initialised weights. */
  initializerRange: number;
  /** The standard deviation of one weight, if a family sets it for each. */
  deviationOf?(name: string, shape: readonly number[]): number;
  padTokenId?: number;
  /** How the model turns a text into a vector, if its files specify it. */
  sentence?: SentenceSettings;
  /** Whether a token's hidden state depends on the length of the text, so that a prompt must be read in one piece. */
  readsWhole?: boolean;
  /** The start token of the decoder in an encoder-decoder. */
  decoderStartTokenId?: number;
}

/** A head of a model family, on its base model. */
export interface Head<Config extends CommonConfig = CommonConfig> {
  /** Its name among the `architectures` of a config.json, such as "BertForSequenceClassification". */
  readonly architecture: string;
  /** Prefix of the base model's parameters under this head, if it differs from the family's. */
  readonly baseModelPrefix?: string;
  /** Modules of the head: fully trained, saved with the adapter, and initialised if absent. */
  readonly modules: readonly string[];
  /**
   * Further modules that a checkpoint may lack, such as a pooler; if absent, they are initialised, trained and saved
   * too.
   */
  readonly mayLack?: readonly string[];
  /** Number of features of its output, for a head without labels. It replaces `numLabels`. */
  outputs?(config: Config): number;
  /** Logits with the axes of its kind. A head with logits for each token returns only the `logitRows`, if given. */
  build(network: Network, config: Config, inputs: ModelInputs): Value;
}

/** The base model of a family: its last layer's hidden states, [sequence · batch, width] or [batch, width]. */
export type Encode<Config> = (
  network: Network,
  config: Config,
  inputs: ModelInputs,
  rows?: EncodedRows,
) => Value;

/** The modules that a method adapts by default. A method chooses the few or the many. */
interface TargetModules {
  /** PEFT's default for LoRA. */
  readonly few: readonly string[];
  /** The six matrices per layer from the AdaLoRA paper (encoders, BART), otherwise PEFT's default for AdaLoRA. */
  readonly many: readonly string[];
  /** PEFT's default targets for IA3, which rescales activations. */
  readonly rescaled: readonly string[];
  /** Targets among `rescaled` for which the input is rescaled instead of the output. */
  readonly rescaledInputs: readonly string[];
}

/** A model family: how to parse its config and how to build its graph. One per Hugging Face `model_type`. */
export interface ModelDefinition<Config extends CommonConfig = CommonConfig> {
  readonly modelType: string;
  /** Prefix of the base model's parameters; a checkpoint of the base model alone lacks it. '' means no prefix. */
  readonly baseModelPrefix: string;
  readonly targetModules: TargetModules;
  /** Other names that a tied parameter may have in a checkpoint. */
  readonly tiedNames?: Readonly<Record<string, readonly string[]>>;
  /** Whether it is a decoder without an encoder. */
  readonly isDecoder?: boolean;
  /**
   * @throws UserError that lists every problem in the file
   */
  parseConfig(json: unknown, where: string): Config;
  readonly heads: Readonly<Partial<Record<HeadKind, Head<Config>>>>;
}
