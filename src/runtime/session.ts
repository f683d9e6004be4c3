/** A tensor in ordinary memory, row-major. */
export interface HostTensor {
  data: Float32Array | Int32Array;
  dims: readonly number[];
}

export type Tensors = Record<string, HostTensor>;

/** A loaded graph. The only view of the engine that the rest of the program has. */
export interface Session {
  /**
   * Computes every output from those of the feeds that the graph reads. A tensor in `into` receives the output of that name in its own memory and must have that
   * output's size; the other outputs are allocated.
   */
  run(feeds: Tensors, into?: Tensors): Promise<Tensors>;
  release(): Promise<void>;
}

/** Where a session computes. */
export type Device = 'cpu' | 'webgpu' | 'wasm';

/** What every build of the engine takes; `node/` and `web/` add how weights reach it. */
export interface SessionOptions {
  device: Device;
  /** Threads within an operator; by default as the engine sees fit for the machine. */
  threads?: number;
}
