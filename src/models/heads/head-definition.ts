/** An axis of a head's output: a fixed size, the batch, its tokens, the labels (or features), or the vocabulary. */
export type HeadAxis = number | 'batch' | 'sequence' | 'labels' | 'vocabulary';

/**
 * How a server runs a head. `rows`: rows share batches. `decoding`: sequences share a decoding loop. `own`:
 * each model has its own session.
 */
export type Served = 'rows' | 'decoding' | 'own';

/**
 * What the rest of the program needs to know about a kind of head. Each kind has a folder and a line in the
 * registry.
 */
export interface HeadDefinition {
  /** PEFT's `task_type`; null if PEFT has none. */
  readonly taskType: string | null;
  /** Suffixes of transformers' class names with such a head. */
  readonly architectures: readonly string[];
  /** AdapterHub's `head_type` for exchangeable heads of this kind. */
  readonly adapterHubTypes: readonly string[];
  /** Axes of the head's output, sequence-major. The axes up to and including `batch` may be flattened into one. */
  readonly axes: readonly HeadAxis[];
  /** Names of the outputs in an ONNX file, which have the batch first. Several names split the first axis. */
  readonly onnxOutputs: readonly string[];
  /**
   * How the model reads text: as a whole, step by step with a cache, or a source text in an encoder while it
   * generates another.
   */
  readonly reads: 'whole' | 'cached' | 'encoder-decoder';
  /** The command for models with this head. */
  readonly mainUse: 'predict' | 'generate' | 'embed';
  /** Undefined if no server supports such models. */
  readonly served?: Served;
}
