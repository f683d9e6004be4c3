import { gather, input, reshape, transpose } from '../../graph/build.ts';
import { type Dimension, divideDimension, multiplyDimensions, symbol } from '../../graph/dimension.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import type { PackedAdapter } from './packed-adapter.ts';

/** The input with the slot of each example's adapter, int32 [batch]. */
export const SLOTS = 'slots';
/** The number of examples. */
export const BATCH = symbol('batch');

/** An input of the graph with a part of every slot: [slots, ...shape]. */
export interface BankPart {
  name: string;
  shape: readonly number[];
  /** Writes an adapter's numbers into the slot's memory, which is zero. */
  write(adapter: PackedAdapter, slot: Float32Array): void;
}

/** Reads parts of the slots that the examples of a batch name. */
export class BankReader {
  /** In the order in which the graph was built. */
  readonly parts: BankPart[] = [];
  readonly #graph: Graph;
  readonly #slots: number;
  readonly #named: Value;
  /** Parts by name, so that a module that is used twice has each part once. */
  readonly #rows = new Map<string, Value>();

  constructor(graph: Graph, slots: number) {
    this.#graph = graph;
    this.#slots = slots;
    this.#named = input(graph, SLOTS, 'int32', [BATCH]);
  }

  /** A part of each example's slot, [batch, ...shape]. */
  read(name: string, shape: readonly number[], write: BankPart['write']): Value {
    const known = this.#rows.get(name);
    if (known) return known;
    this.parts.push({ name, shape, write });
    const rows = gather(input(this.#graph, name, 'float32', [this.#slots, ...shape]), this.#named);
    this.#rows.set(name, rows);
    return rows;
  }
}

/**
 * Tokens of each example, from sequence-major rows [tokens · batch, width]; undefined if all examples share the rows.
 */
export function tokensOf(x: Value): Dimension | undefined {
  return divideDimension(x.shape[0], 'batch');
}

/**
 * Sequence-major rows [tokens · batch, width] as [batch, tokens, width]; rows shared by all examples as [1, tokens,
 * width].
 */
export function byExample(x: Value): Value {
  const tokens = tokensOf(x);
  if (tokens === undefined) return reshape(x, [1, x.shape[0], x.shape[1]]);
  return tokens === 1
    ? reshape(x, [BATCH, 1, x.shape[1]])
    : transpose(reshape(x, [tokens, BATCH, x.shape[1]]), [1, 0, 2]);
}

/** [batch, tokens, width] as sequence-major rows. */
export function asRows(y: Value): Value {
  const [batch, tokens, width] = y.shape;
  const turned = tokens === 1 ? y : transpose(y, [1, 0, 2]);
  return reshape(turned, [multiplyDimensions(tokens, batch), width]);
}
