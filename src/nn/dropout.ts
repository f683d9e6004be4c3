import { input, multiply, slice, window } from '../graph/build.ts';
import { type Dimension, evaluateDimension, sizeOf, symbol } from '../graph/dimension.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { elementCount } from '../support/element-count.ts';
import { Random } from '../support/random.ts';
import { type BatchRows, MaskPart } from './mask-part.ts';

/** Inputs that dropout adds to a training graph: see {@link DropoutSites}. */
const MASK = 'dropout_mask_';
const OFFSETS = 'dropout_offsets';
const POOL = 'dropout_pool_';

/** How many different windows a site may draw: about a million, so that masks hardly ever recur. */
const START_POSITIONS = 2 ** 20;

/** A pool that must grow becomes so many times as long as it must be, so that it seldom grows again. */
const GROWTH = 1.25;

type FeedTensors = Record<string, { data: Float32Array | Int32Array; dims: number[] }>;

/**
 * Who cuts the windows. `host`: every mask is an input, a view of the pool that nothing copies. `graph`: the pools are
 * inputs, and the graph copies each window; for engines that do not share the caller's memory.
 */
export type MaskSource = 'host' | 'graph';

/**
 * Dropout without a random generator in the graph (no backend has a reproducible one): a mask is a window into a pool
 * of independent draws, 0 or 1 / (1 - p), and every site of every step starts its window at its own random position.
 * The positions depend on (seed, step, site) alone and the pool on (seed, p) alone, so a resumed run sees the masks of
 * an uninterrupted one; a pool grows at its end when a larger batch comes.
 */
export class DropoutSites {
  readonly #graph: Graph;
  readonly #source: MaskSource;
  readonly #sites: { shape: readonly Dimension[]; probability: number }[] = [];
  #offsets: Value | undefined;
  readonly #pools = new Map<number, DropoutPool>();
  readonly #parts: MaskPart[] = [];

  constructor(graph: Graph, source: MaskSource = 'host') {
    this.#graph = graph;
    this.#source = source;
  }

  /** x · mask / (1 - p), with a mask of its own. */
  apply(x: Value, probability: number): Value {
    if (probability === 0) return x;
    const site = this.#sites.push({ shape: x.shape, probability }) - 1;
    return multiply(x, this.#source === 'host' ? this.#fed(site) : this.#cut(site));
  }

  /**
   * The tensors a step feeds, for a batch of the given symbolic sizes.
   *
   * @param rows what is computed of the batch, if not all: it has the masks that it has within the whole. Not for masks
   * that the graph cuts.
   */
  feeds(
    seed: number,
    step: number,
    symbols: Readonly<Record<string, number>>,
    rows?: BatchRows,
  ): FeedTensors {
    if (this.#sites.length === 0) return {};
    const random = new Random(seed, 'dropout offsets', step);
    const offsets = Int32Array.from(this.#sites, () => random.integer(START_POSITIONS));
    const draws = new Map<number, Float32Array>();
    for (const [probability, length] of this.#poolLengths(symbols))
      draws.set(probability, this.#pool(seed, probability).atLeast(length));
    const feeds: FeedTensors = {};
    if (this.#source === 'graph') {
      if (rows) throw new Error('a graph cuts the masks of whole batches');
      feeds[OFFSETS] = { data: offsets, dims: [offsets.length] };
      for (const [probability, data] of draws) feeds[POOL + probability] = { data, dims: [data.length] };
      return feeds;
    }
    this.#sites.forEach(({ shape, probability }, site) => {
      const dims = shape.map((size) => evaluateDimension(size, symbols));
      const end = offsets[site] + elementCount(dims);
      const data = (draws.get(probability) as Float32Array).subarray(offsets[site], end);
      feeds[MASK + site] = rows ? this.#part(site).cut(data, symbols, rows) : { data, dims };
    });
    return feeds;
  }

  /** Bytes that the pools take for batches up to the given sizes. */
  poolBytes(symbols: Readonly<Record<string, number>>): number {
    let bytes = 0;
    for (const length of this.#poolLengths(symbols).values()) bytes += 4 * Math.ceil(length * GROWTH);
    return bytes;
  }

  #part(site: number): MaskPart {
    this.#parts[site] ??= new MaskPart(this.#sites[site].shape);
    return this.#parts[site];
  }

  #fed(site: number): Value {
    return input(this.#graph, MASK + site, 'float32', this.#sites[site].shape);
  }

  #cut(site: number): Value {
    const { shape, probability } = this.#sites[site];
    this.#offsets ??= input(this.#graph, OFFSETS, 'int32', [symbol('dropout_sites')]);
    const pool = input(this.#graph, POOL + probability, 'float32', [symbol(`pool_${probability}`)]);
    return window(pool, slice(this.#offsets, 0, site, site + 1), shape);
  }

  /** How many draws a batch needs, by probability: enough for the largest site at the last start position. */
  #poolLengths(symbols: Readonly<Record<string, number>>): Map<number, number> {
    const lengths = new Map<number, number>();
    for (const { shape, probability } of this.#sites) {
      const length = START_POSITIONS + evaluateDimension(sizeOf(shape), symbols);
      lengths.set(probability, Math.max(length, lengths.get(probability) ?? 0));
    }
    return lengths;
  }

  #pool(seed: number, probability: number): DropoutPool {
    let pool = this.#pools.get(probability);
    if (!pool) {
      pool = new DropoutPool(seed, probability);
      this.#pools.set(probability, pool);
    }
    return pool;
  }
}

/** Independent draws, 0 with the given probability and 1 / (1 - p) otherwise, as many as have been asked for. */
class DropoutPool {
  #values = new Float32Array(0);
  readonly #random: Random;
  readonly #probability: number;

  constructor(seed: number, probability: number) {
    this.#random = new Random(seed, `dropout pool ${probability}`);
    this.#probability = probability;
  }

  /** At least `length` draws. Those that were there stay the same. */
  atLeast(length: number): Float32Array {
    const { length: present } = this.#values;
    if (present >= length) return this.#values;
    const grown = new Float32Array(Math.ceil(length * GROWTH));
    grown.set(this.#values);
    const kept = 1 / (1 - this.#probability);
    for (let i = present; i < grown.length; i++) {
      grown[i] = this.#random.uniform() < this.#probability ? 0 : kept;
    }
    this.#values = grown;
    return grown;
  }
}
