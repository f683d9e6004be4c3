import type { Dimension } from '../engine/graph/dimension.ts';
import type { Value } from '../engine/graph/graph.ts';
import type { GgufMetadata } from '../input/formats/encode-gguf.ts';
import type { HeadKind } from './heads/registry.ts';
import type { EncoderStates } from './nn/encoder-layers.ts';
import type { AttentionCache } from './nn/key-value-cache.ts';
import type { Network } from './nn/network.ts';
import type { SentenceSettings } from './sentence-settings.ts';

/**
 * A batch of token sequences, sequence-major: row s of `inputIds` holds token s of every example. So token s
 * of example b is row s · batch + b of the flattened hidden states. Only inputs that a model reads become
 * inputs of its graph.
 */
export interface ModelInputs {
  /** int32 [sequence, batch]. In an encoder-decoder, the encoder's tokens. */
  inputIds: Value;
  /** int32 [sequence, batch]. For models that distinguish segments. */
  tokenTypeIds: Value;
  /** int32 [sequence, batch]. For decoders, which count positions from the first real token of a document. */
  positionIds: Value;
  /**
   * int32 [batch, keys]: 0 padding, 1 real. In decoders, tokens with equal numbers form a document. `keys` is
   * `sequence` plus the number of cached tokens.
   */
  attentionMask: Value;
  batch: Dimension;
  sequence: Dimension;
  /** float32 [batch, ...]: the contents of files, such as the pixels of images, instead of tokens. */
  content: Value;
  /** int32 [target, batch]: the decoder's tokens in an encoder-decoder. */
  decoderInputIds: Value;
  target: Dimension;
  /** int32 [n]: the hidden states for which a token-level head computes logits. Default: all. */
  logitRows?: Value;
  /**
   * int32 [batch]: the hidden states that a decoder returns, one for each example. Its last layer computes only
   * queries, keys and values for all tokens. Default: all.
   */
  asked?: Value;
  /** Whether the last layer is computed for all tokens, even if the head reads only the first or the last ones. */
  everyRow?: boolean;
  /** Whether vectors are computed by the base model below another head. Its parameters then keep their prefix. */
  belowHead?: boolean;
  /** Called by a head that pools, with the hidden states of all tokens. */
  onTokens?(hidden: Value): void;
  /** Called by an encoder-decoder that reads files, with the encoder's states. */
  onEncoded?(states: Value): void;
  /** The cache for a decoder's keys and values. Without it, the decoder reads from the start. */
  cache?: AttentionCache;
}

/** The properties of any model that the rest of the program needs, from its config.json. */
export interface CommonConfig {
  vocabSize: number;
  /** Number of segments that the model distinguishes; 0 or 1 for models without segments. */
  typeVocabSize: number;
  /** The longest sequence that the positions allow, including special tokens. */
  maxLength: number;
  numLabels: number;
  /** The checkpoint's class names by id, if it has any. */
  id2label: Readonly<Record<string, string>>;
  /** Standard deviation of newly initialized weights. */
  initializerRange: number;
  /** Standard deviation of a new weight, in families where each weight has its own. */
  deviationOf?(name: string, shape: readonly number[]): number;
  padTokenId?: number | undefined;
  /** How the model converts a text to a vector, if its files specify it. */
  sentence?: SentenceSettings;
  /**
   * The files that the model reads: the name of their medium, and the name and the shape of the input for each. Undefined
   * for models of texts.
   */
  content?: { medium: string; input: string; shape: readonly number[] };
  /** Whether hidden states depend on the length of the text. Then a prompt must be read at once. */
  readsWhole?: boolean;
  /** If a generated text gets more tokens than this, all of it is read again. */
  rereadAbove?: number;
  /** Whether the checkpoint has output weights of its own, although its config.json ties them to the word embeddings. */
  ownOutput?: boolean;
  /** The decoder's start token in an encoder-decoder. */
  decoderStartTokenId?: number;
  /** Maximum number of the decoder's tokens, if it is not `maxLength`. */
  maxTargets?: number;
}

/** A head of a model family, on top of its base model. */
export interface Head<Config extends CommonConfig = CommonConfig> {
  /** The class name in `architectures` of a config.json, such as "BertForSequenceClassification". */
  readonly architecture: string;
  /** Prefix of the base model's parameters under this head, if it differs from the family's prefix. */
  readonly baseModelPrefix?: string;
  /**
   * Modules of the head. They are fully trained, saved with the adapter, and initialized if the checkpoint
   * lacks them.
   */
  readonly modules: readonly string[];
  /** More modules that a checkpoint may lack, such as a pooler. A missing one is initialized, trained and saved. */
  readonly mayLack?: readonly string[];
  /**
   * Modules of transformers' class that nothing reads, so they are not computed. Adapters of other programs may have
   * tensors for them.
   */
  readonly unread?: readonly string[];
  /** The size of the output, for a head without labels. It replaces `numLabels`. */
  outputs?(config: Config): number;
  /**
   * Builds the logits, with the axes of the head's kind. A token-level head computes only the `logitRows`, if
   * given.
   */
  build(network: Network, config: Config, inputs: ModelInputs): Value;
}

/**
 * Builds a family's base model. Returns the last layer's hidden states, [sequence · batch, width] or [batch,
 * width].
 */
export type Encode<Config> = (
  network: Network,
  config: Config,
  inputs: ModelInputs,
  rows?: EncoderStates,
) => Value;

/** The linear modules of a family's layers by their role: the ends of their paths. Methods choose among the roles. */
export interface ModuleRoles {
  readonly query?: string;
  readonly key?: string;
  readonly value?: string;
  /** A matrix for queries, keys and values together, in families that have no separate ones. */
  readonly queryKeyValue?: string;
  /** The projection of attention's result. */
  readonly output: string;
  /** The first layer of the feed-forward network. A gated network has two, and models of a family may differ. */
  readonly up: string | readonly string[];
  /** The last layer of the feed-forward network. Models of a family may differ. */
  readonly down: string | readonly string[];
  /** The projection that PEFT rescales in addition to values in this family. Default: keys. */
  readonly rescaled?: 'query' | 'key';
}

/** How llama.cpp stores a family of decoders. */
export interface GgufFormat<Config extends CommonConfig = CommonConfig> {
  /** Its name of the architecture, `general.architecture`. */
  architecture: string;
  /** Its names of a layer's linear modules, by their paths in the layer. */
  modules: Readonly<Record<string, string>>;
  /** For each row of a module's weight there, the row in Hugging Face's weight. Undefined if they are the same. */
  rows?(module: string, config: Config): Uint32Array | undefined;
  /** More names and settings, of whole models. Undefined if only adapters are written. */
  whole?: {
    /** Its names of a layer's norms, by their paths in the layer. */
    norms: Readonly<Record<string, string>>;
    /** Added to the weights of norms. */
    normOffset: number;
    /** The model's settings. Their names follow that of the architecture. */
    settings(config: Config): GgufMetadata;
    /** The fields of config.json for such settings. */
    fields(settings: Readonly<Record<string, unknown>>): Record<string, unknown>;
    /** Names something that llama.cpp does not compute in this family. */
    lacks(config: Config, format: Pick<GgufFormat<Config>, 'rows'>): string | undefined;
    /** Numbers by which the rotary frequencies are divided. */
    frequencyFactors(config: Config): Float32Array | undefined;
  };
}

/** A model family, which is one Hugging Face `model_type`: how to parse its config and how to build its graph. */
export interface ModelDefinition<Config extends CommonConfig = CommonConfig> {
  readonly modelType: string;
  /**
   * Prefix of the base model's parameters; '' means no prefix. A checkpoint with only the base model lacks
   * the prefix.
   */
  readonly baseModelPrefix: string;
  readonly roles: ModuleRoles;
  /** The part of the network that methods adapt by default if it occurs in a model. Default: all of it. */
  readonly adaptedPart?: string;
  /** Other names that tied parameters may have in a checkpoint. */
  readonly tiedNames?: Readonly<Record<string, readonly string[]>>;
  /** Names in files of parameters that transformers renames when it loads them. */
  readonly storedNames?: Readonly<Record<string, string>>;
  /**
   * Parts of names that transformers 5 changed: its name of consecutive modules, and the one in files, which it still
   * writes.
   */
  readonly renamedModules?: readonly (readonly [current: string, inFiles: string])[];
  /** Tensors in files that transformers 5 cuts into equal parts along the first axis, by the end of their module's name. */
  readonly cutModules?: Readonly<Record<string, readonly string[]>>;
  /** Whether transformers ties the output weights whatever config.json says, if the checkpoint has no others. */
  readonly alwaysTies?: boolean;
  /** Whether the model is a decoder without an encoder. */
  readonly isDecoder?: boolean;
  /** Undefined for families that llama.cpp stores in another way, or not at all. */
  readonly gguf?: GgufFormat<Config>;
  /** @throws UserError that lists every problem in the file */
  parseConfig(json: unknown, where: string): Config;
  readonly heads: Readonly<Partial<Record<HeadKind, Head<Config>>>>;
}
