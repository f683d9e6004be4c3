/** An axis of what a head gives: of a size that is fixed, or of a batch, its tokens, the labels (or features), the vocabulary. */
export type HeadAxis = number | 'batch' | 'sequence' | 'labels' | 'vocabulary';

/** How a server answers with a head: rows share batches, sequences share a decoding loop, or a model has its own session. */
export type Served = 'rows' | 'decoding' | 'own';

/** A kind of head: everything that the rest of the program needs of it. One folder, and one line in the registry. */
export interface HeadDefinition {
  /** PEFT's `task_type`; null if PEFT has none. */
  readonly taskType: string | null;
  /** How the names of transformers' classes with such a head end. */
  readonly architectures: readonly string[];
  /** AdapterHub's `head_type` of heads that can be exchanged. */
  readonly adapterHubTypes: readonly string[];
  /** Axes of its output, sequence-major; the axes before `batch` may be flattened into one with it. */
  readonly axes: readonly HeadAxis[];
  /** Outputs of an ONNX file, with the batch first. Several names split the first axis. */
  readonly onnxOutputs: readonly string[];
  /** What the model reads: a text at once, a text bit by bit behind a cache, or one text while it writes another. */
  readonly reads: 'whole' | 'cached' | 'encoder-decoder';
  /** What a model with this head is opened for. */
  readonly purpose: 'predict' | 'generate' | 'embed';
  /** Missing if no server answers with it. */
  readonly served?: Served;
}
