import type { GraphNode, Value } from '../engine/graph/graph.ts';
import { reachable } from '../engine/graph/print.ts';
import type { ParameterLayout } from '../methods/tuners/parameter-layout.ts';
import { listNames } from '../support/text.ts';

/**
 * Checks that the loss reads the trained vector by stacks alone. The gradient is taken with respect to these, so
 * what reads the vector in another way would get none.
 *
 * @param flat the trained vector
 * @param stacks the values of the layout's stacks, in order
 * @throws if a parameter is read in another way, or not at all
 */
export function assertCutByLayout(
  loss: Value,
  flat: Value,
  layout: ParameterLayout,
  stacks: readonly Value[],
): void {
  const leaves = new Set(stacks);
  const nodes = reachable([loss]);
  /** Values that depend on the vector without a stack in between, and the node that reads the vector. */
  const loose = new Map<Value, GraphNode>();
  for (const node of nodes) {
    if (node.op === 'stopGradient') continue;
    const reader = node.inputs.includes(flat)
      ? node
      : node.inputs.map((value) => loose.get(value)).find((found) => found);
    if (!reader) continue;
    for (const output of node.outputs) if (!leaves.has(output)) loose.set(output, reader);
  }
  const reader = loose.get(loss);
  if (reader) {
    const names = namesWithin(layout, reader);
    throw new Error(
      `the loss reads ${names} from the trained vector manually, so it gets no gradient. ${REMEDY}`,
    );
  }
  const read = new Set(nodes);
  const unread = layout.stacks.find((_, i) => !read.has(stacks[i]!.node));
  if (unread) throw new Error(`the loss does not depend on ${joinNames(layout, unread)}. ${REMEDY}`);
}

const REMEDY = 'Read it with layout.value(flat, name), where layout is the one that inject is given.';

/** The parameters that a node reads. Any node other than a slice reads all. */
function namesWithin(layout: ParameterLayout, { op, attributes }: GraphNode): string {
  const { start, end } =
    op === 'slice' ? (attributes as { start: number; end: number }) : { start: 0, end: layout.length };
  return joinNames(layout, { start, end });
}

function joinNames({ segments }: ParameterLayout, range: { start: number; end: number }): string {
  const names = segments.filter(({ start, end }) => start < range.end && end > range.start);
  return listNames(names.map(({ name }) => name));
}
