import { gather, input, reshape, transpose } from '../../graph/build.ts';
import { type Dimension, divideDimension, multiplyDimensions, symbol } from '../../graph/dimension.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import type { PackedAdapter } from './packed-adapter.ts';

/** Name of the input with the slot of each example's adapter, int32 [batch]. */
export const SLOTS = 'slots';
/** The number of examples. */
export const BATCH = symbol('batch');

/** An input of the graph with one tensor of every slot: [slots, ...shape]. */
export interface BankPart {
  name: string;
  shape: readonly number[];
  /** Writes an adapter's numbers to a slot's memory, which is zero before. */
  write(adapter: PackedAdapter, slot: Float32Array): void;
}

/** Reads tensors from the slots of a batch's examples. */
export class BankReader {
  /** In the order in which the graph was built. */
  readonly parts: BankPart[] = [];
  readonly #graph: Graph;
  readonly #slots: number;
  readonly #named: Value;
  /** Tensors that have been read, by name. A module that is used twice reads each of them once. */
  readonly #rows = new Map<string, Value>();

  constructor(graph: Graph, slots: number) {
    this.#graph = graph;
    this.#slots = slots;
    this.#named = input(graph, SLOTS, 'int32', [BATCH]);
  }

  /** Returns a tensor of each example's slot, [batch, ...shape]. */
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
 * The number of tokens of each example, from sequence-major rows [tokens · batch, width]. Undefined if all examples
 * share the rows.
 */
export function tokensOf(x: Value): Dimension | undefined {
  return divideDimension(x.shape[0], 'batch');
}

/**
 * Reshapes sequence-major rows [tokens · batch, width] to [batch, tokens, width]. Rows that all examples share become
 * [1, tokens, width].
 */
export function byExample(x: Value): Value {
  const tokens = tokensOf(x);
  if (tokens === undefined) return reshape(x, [1, x.shape[0], x.shape[1]]);
  return tokens === 1
    ? reshape(x, [BATCH, 1, x.shape[1]])
    : transpose(reshape(x, [tokens, BATCH, x.shape[1]]), [1, 0, 2]);
}

/** Reshapes [batch, tokens, width] to sequence-major rows. */
export function asRows(y: Value): Value {
  const [batch, tokens, width] = y.shape;
  const turned = tokens === 1 ? y : transpose(y, [1, 0, 2]);
  return reshape(turned, [multiplyDimensions(tokens, batch), width]);
}
