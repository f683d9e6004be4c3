import type { GraphNode, Value } from '../graph/graph.ts';
import type { Emitter } from './emitter.ts';

/** Returns the name of a value. For a weight, it is the result of {@link WeightStorage.whole}. */
export type NameOf = (value: Value) => string;

/** How a program's frozen tensors are stored, and how nodes read them. A tensor is emitted when it is first read. */
export interface WeightStorage {
  /** Returns the name of a tensor as float32 (bytes remain bytes). */
  whole(emitter: Emitter, weight: Value): string;
  /** Whether a node reads a tensor in its stored form. Such a node is emitted by {@link lower} and not fused. */
  reads(node: GraphNode): boolean;
  /** Emits a node for which {@link reads} is true. Returns the name of its output. */
  lower(emitter: Emitter, node: GraphNode, nameOf: NameOf): string;
}
