import { input, multiply, slice, window } from '../../engine/graph/build.ts';
import { type Dimension, dimensionSize, evaluateDimension, symbol } from '../../engine/graph/dimension.ts';
import type { Graph, Value } from '../../engine/graph/graph.ts';
import { elementCount } from '../../support/arrays.ts';
import { Random } from '../../support/random.ts';
import { type BatchRows, MaskPart } from './mask-part.ts';

/**
 * The number of draws after which a pool repeats: 256 MB. Without it, the pools for a large batch would fill the
 * memory.
 */
const PERIOD = 2 ** 26;
/** A pool that must grow is made larger than needed by this factor, so that it seldom grows again. */
const GROWTH = 1.25;
/** The number of draws that are made together, when the first of them is read. */
const CHUNK = 4096;

/**
 * An unlimited sequence of draws, independent up to its period. Dropout's draws are 0 with the given probability and 1
 * / (1 - p) otherwise.
 */
export class DropoutPool {
  /** Memory for the draws. Those after the period repeat the first ones, so that a view can cross the period's end. */
  #values = new Float32Array(0);
  /** Whether a chunk of `#values` is drawn. */
  #isDrawn = new Uint8Array(0);
  readonly #random: Random;
  readonly #value: (uniform: number) => number;
  readonly #period: number;
  readonly #bits = new Uint32Array(CHUNK);

  /** @param period an even number */
  constructor(seed: number, probability: number, period = PERIOD) {
    this.#random = new Random(seed, `dropout pool ${probability}`);
    this.#value = kept(probability);
    this.#period = period;
  }

  /** The size in bytes of the first `length` draws. */
  static bytes(length: number): number {
    return 4 * growPool(length, PERIOD);
  }

  /** Returns the first draws, at least `length` of them. Existing draws do not change. */
  atLeast(length: number): Float32Array {
    this.reserve(length);
    this.#draw(0, this.#values.length);
    return this.#values;
  }

  /** Allocates `length` draws, so that later views of them share one memory. */
  reserve(length: number): void {
    if (this.#values.length >= length) return;
    const size = growPool(length, this.#period);
    const values = new Float32Array(size);
    values.set(this.#values);
    // The last chunk may have been shortened to the memory that was left.
    const isDrawn = new Uint8Array(Math.ceil(size / CHUNK));
    isDrawn.set(this.#isDrawn.subarray(0, Math.floor(this.#values.length / CHUNK)));
    [this.#values, this.#isDrawn] = [values, isDrawn];
  }

  /** Returns the draws [start, end) as a view. A copy at each use would slow down large batches. */
  read(start: number, end: number): Float32Array {
    const first = start % this.#period;
    const last = first + end - start;
    this.reserve(last);
    this.#draw(first, last);
    return this.#values.subarray(first, last);
  }

  /** Makes the draws [first, last) that are not there yet, and those around them. */
  #draw(first: number, last: number): void {
    for (let chunk = Math.floor(first / CHUNK); chunk * CHUNK < last; chunk++) {
      if (this.#isDrawn[chunk]) continue;
      this.#isDrawn[chunk] = 1;
      const end = Math.min((chunk + 1) * CHUNK, this.#values.length);
      for (let at = chunk * CHUNK; at < end; ) {
        const place = at % this.#period;
        const until = Math.min(end, at + this.#period - place);
        this.#random.uint32s(place, this.#bits);
        for (let i = at; i < until; i++) this.#values[i] = this.#value(this.#bits[i - at]! / 2 ** 32);
        at = until;
      }
    }
  }
}

function kept(probability: number): (uniform: number) => number {
  const factor = 1 / (1 - probability);
  return (uniform) => (uniform < probability ? 0 : factor);
}

function growPool(length: number, period: number): number {
  if (length <= period) return Math.min(Math.ceil(length * GROWTH), period);
  return period + Math.ceil((length - period) * GROWTH);
}

/** The pools of a run by seed and probability. Its graphs share them, because a million draws take 0.01 to 0.02 s. */
export class DropoutPools {
  readonly #pools = new Map<string, DropoutPool>();

  of(seed: number, probability: number): DropoutPool {
    const key = `${seed} ${probability}`;
    const pool = this.#pools.get(key) ?? new DropoutPool(seed, probability);
    this.#pools.set(key, pool);
    return pool;
  }
}

/** Prefix of the names of dropout's inputs in a training graph. See {@link DropoutSites}. */
const MASK = 'dropout_mask_';
const OFFSETS = 'dropout_offsets';
const POOL = 'dropout_pool_';
const FRACTION = 'fraction';

/** The number of positions at which a window can start: about a million, so that masks hardly ever repeat. */
const START_POSITIONS = 2 ** 20;

type FeedTensors = Record<string, { data: Float32Array | Int32Array; dims: number[] }>;

/**
 * The place where masks are cut out of the pools. `host`: every mask is an input, a view of the pool without a copy.
 * `graph`: the pools are inputs, and the graph copies each mask. Use it for engines that do not share the caller's
 * memory.
 */
export type MaskSource = 'host' | 'graph';

/**
 * Dropout without a random generator in the graph, because no backend has a reproducible generator. A mask is a window
 * into a pool of independent draws, 0 or 1 / (1 - p). At every step, each dropout of the graph (a site) starts its
 * window at its own random position. Positions depend only on (seed, step, site), and the pool only on (seed, p). So a
 * resumed run sees the masks of an uninterrupted run. For a larger batch, a pool grows at its end, up to the period of
 * {@link DropoutPool}.
 */
export class DropoutSites {
  /** Whether all later dropouts are the identity, in the model and in its adapter. */
  isOff = false;
  readonly #graph: Graph;
  readonly #source: MaskSource;
  readonly #sites: { shape: readonly Dimension[]; probability: number }[] = [];
  #offsets: Value | undefined;
  #fractions = 0;
  readonly #pools: DropoutPools;
  readonly #parts: MaskPart[] = [];

  /** @param pools shared with other graphs of the run */
  constructor(graph: Graph, source: MaskSource = 'host', pools = new DropoutPools()) {
    this.#graph = graph;
    this.#source = source;
    this.#pools = pools;
  }

  /** Returns x · mask / (1 - p). Each call has its own mask. */
  apply(x: Value, probability: number): Value {
    return probability === 0 || this.isOff ? x : multiply(x, this.#draws(x.shape, probability));
  }

  /**
   * Returns a scalar [] that is drawn at each step from 1/parts, 2/parts, …, 1. All calls in a graph must pass the same
   * `parts`.
   */
  fraction(parts: number): Value {
    this.#fractions = parts;
    return input(this.#graph, FRACTION, 'float32', []);
  }

  /**
   * Returns the tensors to feed at a step, for a batch with the given symbolic sizes.
   *
   * @param rows the part of the batch to compute, by default all of it. The part gets the same masks as in the whole
   * batch. Not supported if the graph cuts the masks.
   */
  feeds(
    seed: number,
    step: number,
    symbols: Readonly<Record<string, number>>,
    rows?: BatchRows,
  ): FeedTensors {
    const feeds: FeedTensors = {};
    if (this.#fractions > 0) {
      const part = 1 + new Random(seed, FRACTION, step).integer(this.#fractions);
      feeds[FRACTION] = { data: Float32Array.of(part / this.#fractions), dims: [] };
    }
    if (this.#sites.length === 0) return feeds;
    const random = new Random(seed, 'dropout offsets', step);
    const offsets = Int32Array.from(this.#sites, () => random.integer(START_POSITIONS));
    if (this.#source === 'graph') {
      if (rows) throw new Error('a graph cuts the masks of whole batches');
      feeds[OFFSETS] = { data: offsets, dims: [offsets.length] };
      for (const [probability, length] of this.#poolLengths(symbols)) {
        const data = this.#pools.of(seed, probability).atLeast(length);
        feeds[POOL + probability] = { data, dims: [data.length] };
      }
      return feeds;
    }
    // A part of a batch reads little of the pool, so the pool is not prepared for the whole batch.
    if (!rows)
      for (const [probability, length] of this.#poolLengths(symbols))
        this.#pools.of(seed, probability).reserve(length);
    this.#sites.forEach(({ shape, probability }, site) => {
      const pool = this.#pools.of(seed, probability);
      const read = (start: number, end: number) => pool.read(offsets[site]! + start, offsets[site]! + end);
      if (rows) feeds[MASK + site] = this.#part(site).cut(read, symbols, rows);
      else {
        const dims = shape.map((size) => evaluateDimension(size, symbols));
        feeds[MASK + site] = { data: read(0, elementCount(dims)), dims };
      }
    });
    return feeds;
  }

  /** The size in bytes of the pools for batches up to the given sizes. */
  poolBytes(symbols: Readonly<Record<string, number>>): number {
    let bytes = 0;
    for (const length of this.#poolLengths(symbols).values()) bytes += DropoutPool.bytes(length);
    return bytes;
  }

  #part(site: number): MaskPart {
    this.#parts[site] ??= new MaskPart(this.#sites[site]!.shape);
    return this.#parts[site];
  }

  #draws(shape: readonly Dimension[], probability: number): Value {
    const site = this.#sites.push({ shape, probability }) - 1;
    return this.#source === 'host' ? this.#fed(site) : this.#cut(site);
  }

  #fed(site: number): Value {
    return input(this.#graph, MASK + site, 'float32', this.#sites[site]!.shape);
  }

  #cut(site: number): Value {
    const { shape, probability } = this.#sites[site]!;
    this.#offsets ??= input(this.#graph, OFFSETS, 'int32', [symbol('dropout_sites')]);
    const pool = input(this.#graph, POOL + probability, 'float32', [symbol(`pool_${probability}`)]);
    return window(pool, slice(this.#offsets, 0, site, site + 1), shape);
  }

  /**
   * The number of draws that a batch needs from each pool. It suffices for the largest mask at the last start position.
   */
  #poolLengths(symbols: Readonly<Record<string, number>>): Map<number, number> {
    const lengths = new Map<number, number>();
    for (const { shape, probability } of this.#sites) {
      const length = START_POSITIONS + evaluateDimension(dimensionSize(shape), symbols);
      lengths.set(probability, Math.max(length, lengths.get(probability) ?? 0));
    }
    return lengths;
  }
}
