import type { Dimension } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import type { Network } from '../nn/network.ts';

/**
 * A batch of token sequences, sequence-major: row s of `inputIds` holds token s of every example, so that a row of the
 * flattened hidden states is position · batch + example.
 */
export interface EncoderInputs {
  /** int32 [sequence, batch] */
  inputIds: Value;
  /** int32 [sequence, batch]; absent for models with one token type. */
  tokenTypeIds: Value;
  /** int32 [batch, sequence]: 1 real, 0 padding. */
  attentionMask: Value;
  batch: Dimension;
  sequence: Dimension;
}

/** What the rest of the program needs to know of any model's config.json. */
export interface CommonConfig {
  vocabSize: number;
  typeVocabSize: number;
  /** The longest sequence, special tokens included, that the position embeddings allow. */
  maxLength: number;
  numLabels: number;
  /** Class names of the checkpoint by id, where it has any. */
  id2label: Readonly<Record<string, string>>;
  /** Standard deviation of newly initialised weights. */
  initializerRange: number;
}

/** What a model ends in, by PEFT's `task_type`. */
export type HeadKind = 'SEQ_CLS' | 'QUESTION_ANS';

/** A model with one of its heads. */
export interface Head<Config extends CommonConfig = CommonConfig> {
  /** In a config.json: "BertForSequenceClassification". */
  readonly architecture: string;
  /** Modules of the head: trained whole, saved with the adapter, initialised where absent. */
  readonly modules: readonly string[];
  /** Logits: [batch, labels] of classes; [2, batch, sequence] of answers, where they start and where they end. */
  build(network: Network, config: Config, inputs: EncoderInputs): Value;
}

/** A model family: how to read its config and how to build its graph. One per Hugging Face `model_type`. */
export interface ModelDefinition<Config extends CommonConfig = CommonConfig> {
  readonly modelType: string;
  /** Prefix of the base model's parameters; a checkpoint of the base model alone lacks it. */
  readonly baseModelPrefix: string;
  /** The six matrices a layer that the paper adapts, as PEFT `target_modules`. */
  readonly defaultTargetModules: readonly string[];
  /** @throws UserError listing everything that is wrong with the file */
  parseConfig(json: unknown, where: string): Config;
  readonly heads: Readonly<Record<HeadKind, Head<Config>>>;
}
