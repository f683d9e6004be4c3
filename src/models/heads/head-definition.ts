/** An axis of a head's output: a fixed size, the batch, its tokens, the labels (or features), or the vocabulary. */
export type HeadAxis = number | 'batch' | 'sequence' | 'labels' | 'vocabulary';

/**
 * How a server runs a head. `rows`: rows share batches. `decoding`: sequences share a decoding loop. `own`:
 * each model has its own session.
 */
export type Served = 'rows' | 'decoding' | 'own';

/**
 * The properties of a kind of head that the rest of the program needs. Each kind is an entry of the
 * registry.
 */
export interface HeadDefinition {
  /** PEFT's `task_type`; null if PEFT has none. */
  readonly taskType: string | null;
  /** Suffixes of the names of transformers' classes with such a head, such as `ForSequenceClassification`. */
  readonly architectures: readonly string[];
  /** AdapterHub's `head_type` for exchangeable heads of this kind. */
  readonly adapterHubTypes: readonly string[];
  /** Axes of the head's output, sequence-major. The axes before `batch` may be flattened into one with it. */
  readonly axes: readonly HeadAxis[];
  /**
   * Names of the outputs in an ONNX file, where the batch is the first axis. Several names split the output's
   * first axis.
   */
  readonly onnxOutputs: readonly string[];
  /**
   * How the model reads text. `whole`: all at once. `cached`: step by step, with a cache. `encoder-decoder`:
   * a source text in the encoder, while the decoder generates.
   */
  readonly reads: 'whole' | 'cached' | 'encoder-decoder';
  /** The command for models with this head. */
  readonly mainUse: 'predict' | 'generate' | 'embed';
  /** Undefined if no server supports such models. */
  readonly served?: Served;
}
