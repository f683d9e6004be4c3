import type { HostTensor, Session, Tensors } from '../../engine/runtime/session.ts';
import { PAST, PRESENT } from '../../models/nn/key-value-cache.ts';
import type { Engine, OpenOptions } from '../engine.ts';
import { TRAINED } from '../training-graph.ts';
import type { CachedGraph } from './cached-graph.ts';
import { TokenMemory } from './token-memory.ts';
import type { VirtualStates } from './virtual-states.ts';

/** A session of a graph with a cache, and the cache's content between runs. */
export class CachedSession {
  readonly #values: Float32Array;
  readonly #session: Session;
  readonly #graph: CachedGraph;
  readonly #start: VirtualStates | undefined;
  /** The cache's content, by entry name. */
  readonly #memories: ReadonlyMap<string, TokenMemory>;

  private constructor(session: Session, graph: CachedGraph, values: Float32Array, start?: VirtualStates) {
    this.#start = start;
    this.#values = values;
    this.#session = session;
    this.#graph = graph;
    this.#memories = new Map(graph.entries.map(({ name, width }) => [name, new TokenMemory(width)]));
  }

  /**
   * @param start the tokens that every sequence starts with
   */
  static async open(
    engine: Engine,
    graph: CachedGraph,
    values: Float32Array,
    { start, ...options }: OpenOptions & { start?: VirtualStates } = {},
  ): Promise<CachedSession> {
    return new CachedSession(await engine.open(graph.outputs, options), graph, values, start);
  }

  /** Returns a session with a separate cache. It shares the engine session, which it does not release. */
  fork(): CachedSession {
    return new CachedSession(this.#session, this.#graph, this.#values, this.#start);
  }

  /** Appends the rows of another cache of the same session. */
  join(other: CachedSession): void {
    for (const [name, memory] of this.#memories) memory.join(other.#memories.get(name)!);
  }

  /** Removes the first `tokens` tokens of all rows. */
  forget(tokens: number): void {
    for (const memory of this.#memories.values()) memory.forget(tokens);
  }

  /** Resets the memory to `rows` sequences that have only the tokens that every sequence starts with. */
  reset(rows: number): void {
    for (const [name, memory] of this.#memories) {
      memory.reset(rows);
      const states = this.#start?.get(name);
      if (states) memory.append(forRows(states, rows, memory.width));
    }
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

/** States [tokens, width] for every row: [tokens, rows, width]. */
function forRows(states: Float32Array, rows: number, width: number): HostTensor {
  const data = new Float32Array(states.length * rows);
  for (let i = 0; i < data.length; i += width) {
    const from = Math.floor(i / (rows * width)) * width;
    data.set(states.subarray(from, from + width), i);
  }
  return { data, dims: [states.length / width, rows, width] };
}
