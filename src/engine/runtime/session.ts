import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';
import { ComputationError, UserError } from '../../support/user-error.ts';

/**
 * Optimizations of the engine that must stay off. The first replaces slices by nodes that break the intended order of a
 * lowered graph. The second turns x · (1 / d) into x / d if the quotient has no other use. That rounds differently, so
 * a recomputed layer would give different values. The third reverts products that were transposed for speed.
 */
export const DISABLED_OPTIMIZERS = 'GatherSliceToSplitFusion;DivMulFusion;GemmTransposeFusion';

/** The environment variable for the number of compute threads. */
export const THREADS = 'ADALORA_THREADS';

/**
 * The number of compute threads from the environment; undefined lets the engine decide. Fewer threads leave cores to
 * other programs. One thread is fastest for a model of a few thousand weights.
 *
 * @throws UserError if it is not an integer of at least 1
 */
export function askedThreads(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const value = environment[THREADS];
  if (!value) return undefined;
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new UserError({ where: THREADS, fault: `must be a number of threads from 1 to 9999, got ${value}` });
}

interface WrapOptions {
  /** Whether this build writes into the output tensors that it gets. Node's does, the web's ignores them. */
  fillsOutputs: boolean;
  onRelease?: () => void;
}

/** Wraps an ONNX Runtime session of any build (node, web) as a {@link Session}. */
export function wrapSession(
  session: InferenceSession,
  TensorClass: TensorConstructor,
  { fillsOutputs, onRelease }: WrapOptions,
): Session {
  const toEngine = (tensors: Tensors) =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [name, toTensor(TensorClass, tensor)]),
    );
  const isInput = (name: string) => session.inputNames.includes(name);
  return {
    async run(inputs, into = {}) {
      const fetches = Object.fromEntries(session.outputNames.map((name) => [name, null]));
      const feeds = Object.fromEntries(Object.entries(inputs).filter(([name]) => isInput(name)));
      const outputs = { ...fetches, ...(fillsOutputs && toEngine(into)) };
      const results = await session.run(toEngine(feeds), outputs).catch(explainMemory);
      const tensors = Object.fromEntries(
        Object.entries(results).map(([name, { data, dims }]) => [name, { data, dims } as HostTensor]),
      );
      if (!fillsOutputs)
        for (const [name, memory] of Object.entries(into)) copy(name, tensors[name]!, memory);
      return { ...tensors, ...into };
    },
    async release() {
      onRelease?.();
      await session.release();
    },
  };
}

/** Throws the engine's error. If it ran out of memory, the message says what to do. */
export function explainMemory(error: Error): never {
  if (!/failed to allocate|bad_alloc|out of memory|allocation failed/i.test(error.message)) throw error;
  throw new ComputationError(
    'The engine ran out of memory. Lower the batch size (training.per_device_train_batch_size, ' +
      '--batch-size) or data.max_length, or set training.gradient_checkpointing: true.',
    'out_of_memory',
  );
}

function copy(name: string, { data, dims }: HostTensor, memory: HostTensor): void {
  if (String(dims) !== String(memory.dims)) {
    throw new Error(`output ${name} has shape [${dims}], the memory given for it [${memory.dims}]`);
  }
  memory.data.set(data);
}

function toTensor(TensorClass: TensorConstructor, { data, dims }: HostTensor): Tensor {
  return data instanceof Float32Array
    ? new TensorClass('float32', data, dims)
    : new TensorClass('int32', data, dims);
}

/** The error for a missing package of the engine. */
export function notInstalled(engine: string, flags = ''): UserError {
  return new UserError({
    where: engine,
    fault: 'is not installed',
    hint: `Run: npm install ${engine}@1${flags}`,
  });
}

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
