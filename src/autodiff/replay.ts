import { after } from '../graph/build.ts';
import type { Node, Value } from '../graph/graph.ts';
import type { Op } from '../graph/ops.ts';

/** Frozen tensors: the engine's own, which cost nothing to read twice. */
const FROZEN: ReadonlySet<Op> = new Set(['weight', 'constant']);
/** Given, not computed. */
const LEAVES: ReadonlySet<Op> = new Set([...FROZEN, 'input']);

/** Forward values as the backward rule of a node shall read them. */
export type Read = (value: Value) => Value;

const asTheyAre: Read = (value) => value;

/**
 * Gradient checkpointing (Chen et al., 2016). `cuts` part the forward pass into segments, each ending with one of them.
 * When the first gradient inside a segment is there, the segment is computed once more, and its backward rules read
 * that: the forward pass keeps no more of it than what later segments read. What comes after the last cut is kept, for
 * its gradients come first.
 *
 * The second time, what a segment reads from outside stands `after` that first gradient, so that none of it runs early.
 * What depends on frozen tensors alone stays as it is.
 *
 * @param forward in graph order
 * @param active the values that are differentiated; those computed anew are added
 * @returns how to read for a node, given the gradients of its outputs; nodes must be asked for from the last to the first
 */
export function replaying(
  forward: readonly Node[],
  cuts: readonly Value[],
  active: Set<Value>,
): (node: Node, gradients: readonly (Value | undefined)[]) => Read {
  const ends = cuts.map(({ node }) => node.id).sort((a, b) => a - b);
  const segmentOf = ({ id }: Node) => ends.findIndex((end) => id <= end);
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

/** Adds the nodes of a segment once more, in their order, not before the gate is there. */
function replay(segment: readonly Node[], gate: Value, active: Set<Value>): Read {
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
    node.outputs.forEach((output, i) => set(output, copies[i]));
  }
  return read;
}
