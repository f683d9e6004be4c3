/**
 * An axis of a head's output: a fixed size, or the size of the batch, its tokens, the labels (or features), the
 * vocabulary.
 */
export type HeadAxis = number | 'batch' | 'sequence' | 'labels' | 'vocabulary';

/** How a server runs a head: rows share batches, sequences share a decoding loop, or a model has its own session. */
export type Served = 'rows' | 'decoding' | 'own';

/**
 * Everything that the rest of the program needs to know about a kind of head. A kind has one folder and one line in the
 * registry.
 */
export interface HeadDefinition {
  /** PEFT's `task_type`; null if PEFT has none. */
  readonly taskType: string | null;
  /** Suffixes of the names of transformers' classes with such a head. */
  readonly architectures: readonly string[];
  /** AdapterHub's `head_type` of exchangeable heads. */
  readonly adapterHubTypes: readonly string[];
  /** Axes of its output, sequence-major; the axes before `batch` may be flattened into one with it. */
  readonly axes: readonly HeadAxis[];
  /** Outputs of an ONNX file, with the batch first. Several names split the first axis. */
  readonly onnxOutputs: readonly string[];
  /**
   * How the model reads: a whole text at once, a text step by step with a cache, or a source text while it writes
   * another.
   */
  readonly reads: 'whole' | 'cached' | 'encoder-decoder';
  /** The command that a model with this head serves. */
  readonly mainUse: 'predict' | 'generate' | 'embed';
  /** Missing if no server supports it. */
  readonly served?: Served;
}
