import { dimensionSize, evaluateDimension } from './dimension.ts';
import type { GraphNode, Value } from './graph.ts';
import { LEAVES, type Op } from './ops.ts';
import { reachable } from './print.ts';

/** Bytes per element. */
const BYTES = { float32: 4, int32: 4, bool: 1, uint8: 1 };

/** Ops whose output shares memory with the first input. */
const VIEWS: ReadonlySet<Op> = new Set(['reshape', 'after', 'stopGradient']);
/** Ops that can overwrite an operand of the same size, if it is not used again. */
const IN_PLACE: ReadonlySet<Op> = new Set([
  'add',
  'subtract',
  'multiply',
  'divide',
  'negate',
  'exp',
  'log',
  'sqrt',
  'cos',
  'sin',
  'tanh',
  'sigmoid',
  'relu',
  'normalCdf',
  'gelu',
]);

/**
 * The peak memory of a program's intermediate values, in bytes. Nodes run in graph order. A value is freed
 * after its last use.
 *
 * @param symbols the value of each symbolic size
 */
export function peakMemory(outputs: readonly Value[], symbols: Readonly<Record<string, number>>): number {
  const nodes = reachable(outputs);
  const owner = new Map<Value, Value>();
  const ownerOf = (value: Value) => owner.get(value) ?? value;
  for (const node of nodes) {
    if (VIEWS.has(node.op)) owner.set(node.outputs[0], ownerOf(node.inputs[0]));
  }
  const uses = new Map<Value, number>();
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...outputs]) {
    uses.set(ownerOf(value), (uses.get(ownerOf(value)) ?? 0) + 1);
  }
  const bytes = (value: Value) => evaluateDimension(dimensionSize(value.shape), symbols) * BYTES[value.dtype];
  // Leaves do not use the engine's memory: inputs belong to the caller, and weights are mapped.
  const isOwned = (value: Value) => !LEAVES.has(value.node.op);

  let live = 0;
  let peak = 0;
  for (const node of nodes) {
    if (LEAVES.has(node.op)) continue;
    const dying = lastUses(node, uses, ownerOf).filter(isOwned);
    if (!VIEWS.has(node.op)) {
      const reused = IN_PLACE.has(node.op) && dying.some((value) => bytes(value) === bytes(node.outputs[0]));
      for (const value of node.outputs) live += bytes(value);
      peak = Math.max(peak, live - (reused ? bytes(node.outputs[0]) : 0));
    }
    for (const value of dying) live -= bytes(value);
  }
  return peak;
}

/** Counts down the remaining uses of a node's operands. Returns the values without further uses. */
function lastUses(node: GraphNode, uses: Map<Value, number>, ownerOf: (value: Value) => Value): Value[] {
  const dying: Value[] = [];
  for (const value of node.inputs.map(ownerOf)) {
    const left = (uses.get(value) ?? 0) - 1;
    uses.set(value, left);
    if (left === 0) dying.push(value);
  }
  return dying;
}
