import type { GraphNode, Value } from '../engine/graph/graph.ts';
import { hasBlockKernel } from '../engine/graph/ops.ts';
import { reachable } from '../engine/graph/print.ts';
import { elementCount } from '../support/element-count.ts';

/** A session that reads frozen weights. */
export interface WeightReader {
  outputs: readonly Value[];
  /** Whether its products copy their matrices into the kernels' layout. */
  packed: boolean;
}

/**
 * The memory of frozen weights, in bytes. A weight counts once if any session reads it as it is stored in the file, and
 * once more for every product that packs it. A weight that only packed products read does not stay mapped.
 */
export function weightMemory(readers: readonly WeightReader[]): number {
  const mapped = new Map<string, number>();
  let copies = 0;
  for (const { outputs, packed } of readers) {
    for (const node of reachable(outputs)) {
      const packedWeight = packed ? packedMatrix(node) : undefined;
      for (const value of readBy(node)) {
        if (value.node.op !== 'weight') continue;
        if (value === packedWeight) copies += bytesOf(value);
        else mapped.set((value.node as GraphNode<'weight'>).attributes.name, bytesOf(value));
      }
    }
  }
  return copies + [...mapped.values()].reduce((a, b) => a + b, 0);
}

/** The matrix of a product that its kernel can copy into its own layout. */
function packedMatrix(node: GraphNode): Value | undefined {
  switch (node.op) {
    case 'matmul':
    case 'byteMatmul':
      return node.inputs[1];
    case 'blockMatmul':
      return hasBlockKernel((node as GraphNode<'blockMatmul'>).attributes) ? node.inputs[1] : undefined;
    default:
      return undefined;
  }
}

/**
 * The values that a node's kernels read. A product of bytes also has its gradient's matrix as an operand, but does not
 * read it.
 */
function readBy({ op, inputs }: GraphNode): readonly Value[] {
  return op === 'byteMatmul' ? inputs.filter((_, i) => i !== 3 && i !== 4) : inputs;
}

function bytesOf({ dtype, shape }: Value): number {
  return elementCount(shape as number[]) * (dtype === 'uint8' ? 1 : 4);
}
