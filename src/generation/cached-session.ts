import { PAST, PRESENT } from '../nn/key-value-cache.ts';
import type { Engine } from '../program/engine.ts';
import { TRAINED } from '../program/training-graph.ts';
import type { Session, Tensors } from '../runtime/session.ts';
import type { CachedGraph } from './cached-graph.ts';
import { TokenMemory } from './token-memory.ts';

/** A session of a graph with a cache, and the content of the cache between runs. */
export class CachedSession {
  readonly #values: Float32Array;
  readonly #session: Session;
  readonly #graph: CachedGraph;
  /** By the names of the cache. */
  readonly #memories: ReadonlyMap<string, TokenMemory>;

  private constructor(session: Session, graph: CachedGraph, values: Float32Array) {
    this.#values = values;
    this.#session = session;
    this.#graph = graph;
    this.#memories = new Map(graph.entries.map(({ name, width }) => [name, new TokenMemory(width)]));
  }

  static async open(engine: Engine, graph: CachedGraph, values: Float32Array): Promise<CachedSession> {
    return new CachedSession(await engine.open(graph.outputs), graph, values);
  }

  /** Another memory for the same session; it does not release the session. */
  fork(): CachedSession {
    return new CachedSession(this.#session, this.#graph, this.#values);
  }

  /** Appends the rows of another memory of the same session. */
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

  /** Every row continues one of the previous rows. */
  follow(parents: Int32Array): void {
    for (const memory of this.#memories.values()) memory.follow(parents);
  }

  /** Runs the graph after the cached tokens, and adds the new ones to the cache. */
  async run(feeds: Tensors): Promise<Tensors> {
    const past = [...this.#memories].map(([name, { tensor }]) => [PAST + name, tensor]);
    const trained = { data: this.#values, dims: [this.#values.length] };
    const all = { [TRAINED]: trained, ...Object.fromEntries(past), ...feeds };
    const outputs = await this.#session.run(all);
    for (const [name, memory] of this.#memories) memory.append(outputs[PRESENT + name]);
    return outputs;
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}
