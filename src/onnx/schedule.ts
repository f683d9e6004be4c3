import type { Node } from '../graph/graph.ts';

/**
 * The nodes of a program in the order in which they should run: graph order, but each view right after what it views.
 * A weight's gradient is flattened as soon as it is there, and the activations that it took are free.
 */
export function schedule(nodes: readonly Node[]): Node[] {
  const views = new Map<Node, Node[]>();
  for (const node of nodes) {
    if (node.op !== 'reshape') continue;
    const viewed = node.inputs[0].node;
    views.set(viewed, [...(views.get(viewed) ?? []), node]);
  }
  const place = (node: Node): Node[] => [node, ...(views.get(node) ?? []).flatMap(place)];
  return nodes.filter(({ op }) => op !== 'reshape').flatMap(place);
}
