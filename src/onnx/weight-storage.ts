import type { GraphNode, Value } from '../graph/graph.ts';
import type { Emitter } from './emitter.ts';

/** The name of a value; a weight's is that of {@link WeightStorage.whole}. */
export type NameOf = (value: Value) => string;

/** How a program's frozen tensors are kept, and how its nodes read them. Tensors are emitted when they are first read. */
export interface WeightStorage {
  /** The name of a tensor as float32 (bytes: as they are). */
  whole(emitter: Emitter, weight: Value): string;
  /** Whether a node reads a tensor in the form in which it is kept: then {@link lower} emits it, and no fusion takes it. */
  reads(node: GraphNode): boolean;
  /** Emits a node that {@link reads} tells of, and returns the name of its output. */
  lower(emitter: Emitter, node: GraphNode, nameOf: NameOf): string;
}
