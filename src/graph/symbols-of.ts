import type { GraphNode, Value } from './graph.ts';
import { reachable } from './print.ts';

/** The value of each symbolic size in a program, taken from the shapes of its inputs. */
export function symbolsOf(
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
