import type { Node, Value } from './graph.ts';
import { reachable } from './print.ts';

/** What the symbolic sizes of a program are for given inputs: each is the bare size of some input's axis. */
export function symbolsOf(
  outputs: readonly Value[],
  inputs: Readonly<Record<string, { dims: readonly number[] }>>,
): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const node of reachable(outputs)) {
    if (node.op !== 'input') continue;
    const { dims = [] } = inputs[(node as Node<'input'>).attributes.name] ?? {};
    node.outputs[0].shape.forEach((size, axis) => {
      if (typeof size !== 'number' && axis < dims.length) sizes[String(size)] ??= dims[axis];
    });
  }
  return sizes;
}
