/** A tensor in ordinary memory, row-major. */
export interface HostTensor {
  data: Float32Array | Int32Array;
  dims: readonly number[];
}

export type Tensors = Record<string, HostTensor>;

/** A loaded graph. The rest of the program sees the engine only through this interface. */
export interface Session {
  /**
   * Computes every output from the feeds that the graph reads. An output with a tensor of the same name in `into` is
   * written to that tensor, which must have the output's size. Other outputs are allocated.
   */
  run(feeds: Tensors, into?: Tensors): Promise<Tensors>;
  release(): Promise<void>;
}

/** The device that a session computes on. */
export type Device = 'cpu' | 'webgpu' | 'wasm';

/** Options of every build of the engine. `node/` and `web/` add how weights reach it. */
export interface SessionOptions {
  device: Device;
  /** Threads within an operator; the engine chooses by default. */
  threads?: number;
}
