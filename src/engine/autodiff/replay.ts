import { after } from '../graph/build.ts';
import type { GraphNode, Value } from '../graph/graph.ts';
import type { Op } from '../graph/ops.ts';

const FROZEN: ReadonlySet<Op> = new Set(['weight', 'constant']);
/** Values that are fed or stored, not computed. */
const LEAVES: ReadonlySet<Op> = new Set([...FROZEN, 'input']);

/** Maps a forward value to the value that a derivative reads: the value itself, or a copy that is computed again. */
export type Read = (value: Value) => Value;

const asTheyAre: Read = (value) => value;

/**
 * Gradient checkpointing (Chen et al., 2016). `cuts` divide the forward pass into segments; each segment ends
 * with a cut. When the backward pass reaches a segment, its values are computed again, and its derivatives
 * read these copies. So only the values that later segments read are kept. The part after the last cut is not
 * computed again, because the backward pass begins there.
 *
 * The copies must not be computed before they are needed. So the values that a segment reads from outside are
 * placed `after` the first gradient inside the segment. Nodes that depend only on frozen tensors are not
 * computed again.
 *
 * @param forward the nodes of the forward pass, in graph order
 * @param active the values that are differentiated; their copies are added to it
 * @returns a function from a node and the gradients of its outputs to the values that its derivative reads.
 * Call it for the last node first.
 */
export function replaying(
  forward: readonly GraphNode[],
  cuts: readonly Value[],
  active: Set<Value>,
): (node: GraphNode, gradients: readonly (Value | undefined)[]) => Read {
  const ends = cuts.map(({ node }) => node.id).sort((a, b) => a - b);
  const segmentOf = ({ id }: GraphNode) => ends.findIndex((end) => id <= end);
  const replayed = new Map<number, Read>();
  return (node, gradients) => {
    const segment = segmentOf(node);
    if (segment < 0) return asTheyAre;
    const known = replayed.get(segment);
    if (known) return known;
    const gate = gradients.find((gradient) => gradient?.shape.some((size) => typeof size !== 'number'));
    if (!gate) return asTheyAre;
    const nodes = forward.filter((node) => segmentOf(node) === segment);
    const read = replay(nodes, gate, active);
    replayed.set(segment, read);
    return read;
  };
}

/** Copies a segment's nodes in order, so that they run only after `gate` is computed. */
function replay(segment: readonly GraphNode[], gate: Value, active: Set<Value>): Read {
  const { graph } = gate.node;
  const again = new Map<Value, Value>();
  const set = (value: Value, copy: Value) => {
    again.set(value, copy);
    if (active.has(value)) active.add(copy);
    return copy;
  };
  const read: Read = (value) => {
    if (FROZEN.has(value.node.op)) return value;
    return again.get(value) ?? set(value, after(value, gate));
  };
  for (const node of segment) {
    if (LEAVES.has(node.op)) continue;
    const inputs = node.inputs.map(read);
    const isFrozen = inputs.every((input, i) => input === node.inputs[i]);
    const copies = isFrozen ? node.outputs : graph.again(node, inputs);
    node.outputs.forEach((output, i) => set(output, copies[i]!));
  }
  return read;
}
