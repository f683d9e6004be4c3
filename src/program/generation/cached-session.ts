import { input, iota, slice } from '../../engine/graph/build.ts';
import { addDimensions, type Dimension, multiplyDimensions } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { HostTensor, Session, Tensors } from '../../engine/runtime/session.ts';
import type { Tuner } from '../../methods/tuners/tuner.ts';
import type { ModelInputs } from '../../models/model-definition.ts';
import { type CacheEntry, KeyValueCache, PAST, PRESENT } from '../../models/nn/key-value-cache.ts';
import { smallest } from '../../support/numbers.ts';
import type { Engine, EngineOpenOptions } from '../engine.ts';
import { modelFeeds } from '../objectives/model-inputs.ts';
import type { TaskModel } from '../objectives/task-model.ts';
import { TRAINED, tunedNetwork } from '../training-graph.ts';
import { ReadTokens } from './read-tokens.ts';

export interface CachedGraph {
  /** The logits [batch, vocabulary] after the last token with the new cache entries, or the encoder's results. */
  outputs: Record<string, Value>;
  /** The cache entries for the tokens that were read before. */
  entries: readonly CacheEntry[];
  /** The cache entries that the decoder gets from the encoder. */
  encoded: readonly CacheEntry[];
}

/** A causal language model that reads tokens after the cached ones. */
export function causalGraph(model: TaskModel, tuner: Tuner): CachedGraph {
  return cachedGraph(model, tuner, 'decode', (inputs, { past }) => ({
    attentionMask: input(inputs.inputIds.node.graph, 'attention_mask', 'int32', [
      inputs.batch,
      addDimensions(past, inputs.sequence),
    ]),
    logitRows: lastRows(inputs, inputs.sequence),
  }));
}

/** The decoder of an encoder-decoder. Its cache also holds the keys and values of the encoder's output. */
export function decoderGraph(model: TaskModel, tuner: Tuner): CachedGraph {
  return cachedGraph(model, tuner, 'decode', (inputs) => ({ logitRows: lastRows(inputs, inputs.target) }));
}

/** The encoder. Its results are the keys and values that the decoder's layers need. */
export function encoderGraph(model: TaskModel, tuner: Tuner): CachedGraph {
  const { outputs, encoded } = cachedGraph(model, tuner, 'encode', () => ({}));
  const kept = encoded.map(({ name }) => [PRESENT + name, outputs[PRESENT + name]!] as const);
  return { outputs: Object.fromEntries(kept), entries: [], encoded };
}

function cachedGraph(
  model: TaskModel,
  tuner: Tuner,
  phase: 'encode' | 'decode',
  change: (inputs: ModelInputs, cache: KeyValueCache) => Partial<ModelInputs>,
): CachedGraph {
  const network = tunedNetwork(tuner, false).network.with({ generates: true });
  let cache: KeyValueCache | undefined;
  const logits = model.buildLogits(network, (inputs) => {
    cache = new KeyValueCache(network.graph, inputs.batch, phase);
    return { cache, ...change(inputs, cache) };
  });
  if (!cache) throw new Error('the model was built without its inputs');
  const { outputs, entries, encoded } = cache;
  return { outputs: { logits, ...outputs }, entries, encoded };
}

/** Selects the rows of the last token from rows [tokens · batch], sequence-major. */
function lastRows({ inputIds, batch }: ModelInputs, tokens: Dimension): Value {
  const count = multiplyDimensions(tokens, batch);
  const before = addDimensions(count, multiplyDimensions(batch, -1));
  return slice(iota(inputIds.node.graph, count), 0, before, count);
}

/** A batch of sequences that a decoder reads: their cache, and which of their tokens are real. */
export class CachedRows {
  readonly #session: CachedSession;
  readonly #read = new ReadTokens();

  constructor(session: CachedSession) {
    this.#session = session;
  }

  /** Rows of the same session, with a separate cache. */
  fork(): CachedRows {
    return new CachedRows(this.#session.fork());
  }

  /** Resets the cache to `rows` empty sequences. */
  reset(rows: number): void {
    for (const memory of [this.#session, this.#read]) memory.reset(rows);
  }

  /** Keeps only the first `tokens` tokens. */
  truncate(tokens: number): void {
    for (const memory of [this.#session, this.#read]) memory.truncate(tokens);
  }

  /** Reorders the rows: row i becomes a copy of row `parents[i]`. */
  follow(parents: Int32Array): void {
    for (const memory of [this.#session, this.#read]) memory.follow(parents);
  }

  /** Appends rows. Shorter rows are padded at the start, so that all rows end together. */
  join(other: CachedRows): void {
    this.#session.join(other.#session);
    this.#read.join(other.#read);
  }

  /** Removes leading padding that all rows have. */
  forgetPadding(): void {
    this.#session.forget(this.#read.forgetPadding());
  }

  /**
   * Reads [rows, count] tokens after the cached ones.
   *
   * @param mask 1 for a real token, 0 for padding; default: all are real
   * @param more further inputs of the graph
   * @returns logits [rows, vocabulary] after the last token
   */
  async read(inputIds: Int32Array, rows: number, mask?: Int32Array, more?: Tensors): Promise<Float32Array> {
    const length = inputIds.length / rows;
    const feeds = modelFeeds({
      inputIds,
      tokenTypeIds: new Int32Array(inputIds.length),
      attentionMask: new Int32Array(0),
      positionIds: this.#read.append(length, mask),
      batch: rows,
      length,
    });
    const { logits } = await this.#session.run({ ...feeds, attention_mask: this.#read.mask, ...more });
    return logits!.data as Float32Array;
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/** A session of a graph with a cache, and the cache's content between runs. */
export class CachedSession {
  readonly #values: Float32Array;
  readonly #session: Session;
  readonly #graph: CachedGraph;
  /** The cache's content, by entry name. */
  readonly #memories: ReadonlyMap<string, TokenMemory>;

  private constructor(session: Session, graph: CachedGraph, values: Float32Array) {
    this.#values = values;
    this.#session = session;
    this.#graph = graph;
    this.#memories = new Map(graph.entries.map(({ name, width }) => [name, new TokenMemory(width)]));
  }

  static async open(
    engine: Engine,
    graph: CachedGraph,
    values: Float32Array,
    options?: EngineOpenOptions,
  ): Promise<CachedSession> {
    return new CachedSession(await engine.open(graph.outputs, options), graph, values);
  }

  /** Returns a session with a separate cache. It shares the engine session, which it does not release. */
  fork(): CachedSession {
    return new CachedSession(this.#session, this.#graph, this.#values);
  }

  /** Appends the rows of another cache of the same session. */
  join(other: CachedSession): void {
    for (const [name, memory] of this.#memories) memory.join(other.#memories.get(name)!);
  }

  /** Removes the first `tokens` tokens of all rows. */
  forget(tokens: number): void {
    for (const memory of this.#memories.values()) memory.forget(tokens);
  }

  /** Resets the memory to `rows` empty sequences. */
  reset(rows: number): void {
    for (const memory of this.#memories.values()) memory.reset(rows);
  }

  /** Keeps only the first `tokens` tokens. */
  truncate(tokens: number): void {
    for (const memory of this.#memories.values()) memory.truncate(tokens);
  }

  /** Reorders the rows: row i becomes a copy of row `parents[i]`. */
  follow(parents: Int32Array): void {
    for (const memory of this.#memories.values()) memory.follow(parents);
  }

  /** Runs the graph on the tokens after the cached ones, and adds these tokens to the cache. */
  async run(feeds: Tensors): Promise<Tensors> {
    const past = [...this.#memories].map(([name, { tensor }]) => [PAST + name, tensor]);
    const trained = { data: this.#values, dims: [this.#values.length] };
    const all = { [TRAINED]: trained, ...Object.fromEntries(past), ...feeds };
    const outputs = await this.#session.run(all);
    for (const [name, memory] of this.#memories) memory.append(outputs[PRESENT + name]!);
    return outputs;
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/** A part of a model's cache, [tokens, rows, width], in memory that grows. */
export class TokenMemory {
  readonly width: number;
  #tokens = 0;
  #data = new Float32Array(0);
  /**
   * For each row, the initial row that it continues. Rows with the same initial row share their first
   * `#begun` tokens.
   */
  #roots = new Int32Array(0);
  #begun = 0;

  constructor(width: number) {
    this.width = width;
  }

  /** Resets the memory to `rows` empty sequences. */
  reset(rows: number): void {
    this.#roots = Int32Array.from({ length: rows }, (_, row) => row);
    this.#tokens = 0;
    this.#begun = 0;
  }

  /** The content as a view that is valid until the next change. */
  get tensor(): HostTensor {
    const dims = [this.#tokens, this.#roots.length, this.width];
    return { data: this.#data.subarray(0, this.#size), dims };
  }

  /** Appends [tokens, rows, width]. Usually, only the new tokens are copied; if the memory is full, all are. */
  append({ data, dims }: HostTensor): void {
    const end = this.#size;
    if (end + data.length > this.#data.length) {
      const grown = new Float32Array(Math.max(end + data.length, 2 * end));
      grown.set(this.#data.subarray(0, end));
      this.#data = grown;
    }
    this.#data.set(data, end);
    if (this.#tokens === 0) this.#begun = dims[0]!;
    this.#tokens += dims[0]!;
  }

  /** Keeps only the first `tokens` tokens. */
  truncate(tokens: number): void {
    this.#tokens = tokens;
    this.#begun = Math.min(this.#begun, tokens);
  }

  /** Removes the first `tokens` tokens of all rows. */
  forget(tokens: number): void {
    this.#data.copyWithin(0, tokens * this.#roots.length * this.width, this.#size);
    this.#tokens -= tokens;
    this.#begun = Math.max(0, this.#begun - tokens);
  }

  /** Appends the rows of another memory. Shorter rows start with zeros, so that all rows end together. */
  join(other: TokenMemory): void {
    const [ownRows, addedRows] = [this.#roots.length, other.#roots.length];
    const [rows, width] = [ownRows + addedRows, this.width];
    const tokens = Math.max(this.#tokens, other.#tokens);
    const joined = new Float32Array(tokens * rows * width);
    for (const [memory, count, place] of [
      [this, ownRows, 0] as const,
      [other, addedRows, ownRows] as const,
    ]) {
      const before = tokens - memory.#tokens;
      for (let i = 0; i < memory.#tokens; i++) {
        const token = memory.#data.subarray(i * count * width, (i + 1) * count * width);
        joined.set(token, ((before + i) * rows + place) * width);
      }
    }
    this.reset(rows);
    this.#data = joined;
    this.#tokens = tokens;
  }

  /** Reorders the rows: row i becomes a copy of row `parents[i]`. Only rows that move are copied. */
  follow(parents: Int32Array): void {
    const [source, width, before, rows] = [this.#data, this.width, this.#roots.length, parents.length];
    const roots = parents.map((parent) => this.#roots[parent]!);
    const moves = Array.from(parents, (parent, row) => {
      const [stays, isKin] = [row === parent, this.#roots[row] === roots[row]];
      return { parent, row, from: rows !== before ? 0 : stays ? this.#tokens : isKin ? this.#begun : 0 };
    });
    // More rows than before do not fit in place, so new memory is used.
    if (rows > before) this.#data = new Float32Array((this.#tokens + 1) * rows * width);
    const token = new Float32Array(before * width);
    for (let i = smallest(moves.map(({ from }) => from)); i < this.#tokens; i++) {
      token.set(source.subarray(i * token.length, (i + 1) * token.length));
      for (const { parent, row, from } of moves) {
        if (i < from) continue;
        this.#data.set(token.subarray(parent * width, (parent + 1) * width), (i * rows + row) * width);
      }
    }
    this.#roots = roots;
  }

  get #size(): number {
    return this.#tokens * this.#roots.length * this.width;
  }
}
