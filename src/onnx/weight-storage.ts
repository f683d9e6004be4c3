import type { GraphNode, Value } from '../graph/graph.ts';
import type { Emitter } from './emitter.ts';

/** The name of a value; for a weight, the result of {@link WeightStorage.whole}. */
export type NameOf = (value: Value) => string;

/**
 * How a program's frozen tensors are stored, and how its nodes read them. A tensor is emitted when it is first read.
 */
export interface WeightStorage {
  /** The name of a tensor as float32 (bytes stay bytes). */
  whole(emitter: Emitter, weight: Value): string;
  /** Whether a node reads a tensor in its stored form. Then {@link lower} emits the node, and no fusion takes it. */
  reads(node: GraphNode): boolean;
  /** Emits a node for which {@link reads} is true, and returns the name of its output. */
  lower(emitter: Emitter, node: GraphNode, nameOf: NameOf): string;
}
