import type { GraphNode, Value } from './graph.ts';
import { attributesText, type TensorType } from './ops.ts';

/**
 * The nodes on which the given values depend, in graph order.
 *
 * @param before nodes at which the search stops. They are not in the result
 */
export function reachable(values: readonly Value[], before: readonly GraphNode[] = []): GraphNode[] {
  const seen = new Set(before);
  const stack = values.map(({ node }) => node);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    stack.push(...node.inputs.map((value) => value.node));
  }
  for (const node of before) seen.delete(node);
  return [...seen].sort((a, b) => a.id - b.id);
}

/**
 * Prints the program that computes `values`, one node per line. Nodes are numbered from 0, so equal graphs
 * have equal texts.
 */
export function printGraph(values: readonly Value[]): string {
  const numbers = new Map(reachable(values).map((node, i) => [node, i]));
  const name = ({ node, index }: Value) =>
    `%${numbers.get(node)}${node.outputs.length > 1 ? `.${index}` : ''}`;
  const lines = [...numbers.keys()].map(
    (node) => `%${numbers.get(node)} = ${printNode(node, name)} : ${node.outputs.map(printType).join(', ')}`,
  );
  return [...lines, `return ${values.map(name).join(', ')}`].join('\n');
}

/**
 * Prints a node as `op(operands) attributes`. If the node is computed a second time, it is printed as `op again(…)`, a
 * third time as `op again 2(…)`.
 */
export function printNode(node: GraphNode, name = ({ node }: Value) => `%${node.id}`): string {
  const again = node.repeat === 0 ? '' : ` again${node.repeat === 1 ? '' : ` ${node.repeat}`}`;
  const operands = node.inputs.map(name).join(', ');
  return `${node.op}${again}(${operands}) ${attributesText(node.attributes)}`.trimEnd();
}

export function printType({ dtype, shape }: TensorType): string {
  return `${dtype}[${shape}]`;
}

/** The value of each symbolic size in a program, taken from the shapes of its inputs. */
export function collectSymbols(
  outputs: readonly Value[],
  inputs: Readonly<Record<string, { dims: readonly number[] }>>,
): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const node of reachable(outputs)) {
    if (node.op !== 'input') continue;
    const { dims = [] } = inputs[(node as GraphNode<'input'>).attributes.name] ?? {};
    node.outputs[0].shape.forEach((size, axis) => {
      if (typeof size !== 'number' && axis < dims.length) sizes[String(size)]! ??= dims[axis]!;
    });
  }
  return sizes;
}
