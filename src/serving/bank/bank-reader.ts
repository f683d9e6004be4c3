import { gather, input, reshape } from '../../graph/build.ts';
import { type Dimension, divideDimension, multiplyDimensions, symbol } from '../../graph/dimension.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import type { PackedAdapter } from './packed-adapter.ts';

/** The input that says which slot the adapter of each example lies in, int32 [batch]. */
export const SLOTS = 'slots';
const BATCH = symbol('batch');

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
  /** Parts by name: a module that is used twice has them once. */
  readonly #rows = new Map<string, Value>();

  constructor(graph: Graph, slots: number) {
    this.#graph = graph;
    this.#slots = slots;
    this.#named = input(graph, SLOTS, 'int32', [BATCH]);
  }

  /** A part of each example's slot: [batch, width], a matrix as [1, batch, rows, width]. */
  read(name: string, shape: readonly number[], write: BankPart['write']): Value {
    const known = this.#rows.get(name);
    if (known) return known;
    this.parts.push({ name, shape, write });
    const rows = gather(input(this.#graph, name, 'float32', [this.#slots, ...shape]), this.#named);
    const part = shape.length === 2 ? reshape(rows, [1, ...rows.shape]) : rows;
    this.#rows.set(name, part);
    return part;
  }
}

/** Tokens of each example, of sequence-major rows [tokens · batch, width]; undefined where the rows are those of all examples. */
export function tokensOf(x: Value): Dimension | undefined {
  return divideDimension(x.shape[0], 'batch');
}

/**
 * Sequence-major rows [tokens · batch, width] as [tokens, batch, 1, width]: a product with [1, batch, width, columns] gives each
 * token its own example's, and nothing is turned around. Rows of all examples are [tokens, 1, 1, width].
 */
export function byExample(x: Value): Value {
  const tokens = tokensOf(x);
  const [rows, width] = x.shape;
  return reshape(x, tokens === undefined ? [rows, 1, 1, width] : [tokens, BATCH, 1, width]);
}

/** [tokens, batch, 1, width] as sequence-major rows. */
export function asRows(y: Value): Value {
  const [tokens, batch, , width] = y.shape;
  return reshape(y, [multiplyDimensions(tokens, batch), width]);
}
