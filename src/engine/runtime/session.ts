/** A tensor in ordinary memory, row-major. */
export interface HostTensor {
  data: Float32Array | Int32Array;
  dims: readonly number[];
}

export type Tensors = Record<string, HostTensor>;

/** A loaded graph. The rest of the program uses the engine only through this interface. */
export interface Session {
  /**
   * Computes every output from the feeds that the graph reads. If `into` has a tensor with an output's name, the output
   * is written to it. Its size must match. Other outputs are allocated.
   */
  run(feeds: Tensors, into?: Tensors): Promise<Tensors>;
  release(): Promise<void>;
}

/** The device that a session computes on. */
export type Device = 'cpu' | 'webgpu' | 'wasm';

/** Options of every build of the engine. `node/` and `web/` add options for loading weights. */
export interface SessionOptions {
  device: Device;
  /** Number of threads within an operator. By default, the engine decides. */
  threads?: number;
}
