import type { GraphNode, Value } from '../engine/graph/graph.ts';
import { hasBlockKernel } from '../engine/graph/ops.ts';
import { reachable } from '../engine/graph/print.ts';
import type { LocateWeight } from '../engine/onnx/lower.ts';
import type { ReadParameter, ReadRange } from '../methods/tuners/tuner.ts';
import type { Packing } from '../models/nn/base/frozen-base.ts';
import { elementCount } from '../support/arrays.ts';
import type { TaskModel } from './objectives/task-model.ts';

/** A model whose weights can be read and bound to sessions. */
export type LoadedModel<Model extends TaskModel = TaskModel> = Model & ModelWeights;

export interface ModelWeights {
  /** The real path of the folder with the weight files; empty in a browser. */
  weightFolder: string;
  locate: LocateWeight;
  /** Whether kernels copy the weights into their own layout. By default, the session decides. */
  packing?: Packing;
  /** Returns a function that reads a parameter. If the checkpoint has no parameter that fits, it is initialized. */
  reader(seed: number): ReadParameter;
  /** Reads a range of a parameter from the checkpoint, as float32. */
  readRange: ReadRange;
  /** The path of the checkpoint's file with a parameter; undefined if it is initialized. */
  fileOf(name: string): string | undefined;
  /** Names of the parameters that the checkpoint lacks. */
  initialized: readonly string[];
  close(): void;
}

/** A session that reads frozen weights. */
interface WeightReader {
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
        if (value === packedWeight) copies += countBytes(value);
        else mapped.set((value.node as GraphNode<'weight'>).attributes.name, countBytes(value));
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

function countBytes({ dtype, shape }: Value): number {
  return elementCount(shape as number[]) * (dtype === 'uint8' ? 1 : 4);
}

/**
 * Limit for what copies take beyond the weights. Training has one copy each for the forward and the backward pass, so
 * encoders of up to about 200 million parameters stay below it. Generation copies most weights instead of mapping them.
 */
const MAX_EXTRA = 0.75 * 2 ** 30;
/** Limit for weights and copies. Copies cannot leave the memory, as mapped weights can. */
const MAX_BYTES = 5 * 2 ** 30;

/**
 * Whether the products of a session copy their frozen matrices into the kernels' layout. Block kernels always do,
 * because otherwise they would convert every matrix to float32 for each product.
 *
 * @param packing packing of the session's base. A float32 base has none: it is packed if `wanted` and not too large.
 * @param sharesHost whether other processes of this host use the same weights, which all of them then map
 */
export function packsWeights(
  outputs: readonly Value[],
  { packing, wanted, sharesHost = false }: { packing?: Packing; wanted: boolean; sharesHost?: boolean },
): boolean {
  if (reachable(outputs).some(isBlockKernel)) return true;
  if (packing === 'never' || sharesHost) return false;
  if (packing === 'alone') return true;
  if (!wanted) return false;
  const bytes = weightMemory([{ outputs, packed: true }]);
  return bytes <= MAX_BYTES && bytes - weightMemory([{ outputs, packed: false }]) <= MAX_EXTRA;
}

function isBlockKernel(node: GraphNode): boolean {
  return node.op === 'blockMatmul' && hasBlockKernel((node as GraphNode<'blockMatmul'>).attributes);
}
