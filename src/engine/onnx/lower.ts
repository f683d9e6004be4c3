import type { Value } from '../graph/graph.ts';
import { lowerGraph } from './lower-graph.ts';
import type { Target } from './lowerings.ts';
import { encodeModel, modelFields } from './schema.ts';
import { LocatedWeights, type LocateWeight } from './weights.ts';

export type { InlineWeight, LocateWeight, WeightLocation } from './weights.ts';

interface LowerOptions {
  target: Target;
  locate?: LocateWeight;
  /** Whether products of signed bytes are wrong on this processor. */
  saturates?: boolean;
}

/**
 * Encodes the program that computes the named values as an ONNX model for a session. Inputs keep their names. Outputs
 * are named by the keys of `outputs`.
 */
export function lower(
  outputs: Readonly<Record<string, Value>>,
  { target, locate, saturates }: LowerOptions,
): Uint8Array {
  const graph = lowerGraph(outputs, { target, saturates, weights: new LocatedWeights(target, locate) });
  // ONNX Runtime orders nodes by walking back from the outputs, last listed input first. Nodes are listed in reverse,
  // so that they run in the scheduled order.
  return encodeModel(modelFields({ ...graph, nodes: graph.nodes.reverse() }));
}
