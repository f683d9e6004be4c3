import { add, after, concat, expand, multiply, normalCdf, pad, reshape, sum } from '../graph/build.ts';
import { addDimensions, type Dimension, sameDimension } from '../graph/dimension.ts';
import type { GraphNode, Value } from '../graph/graph.ts';
import type { Op } from '../graph/ops.ts';
import { reachable } from '../graph/print.ts';
import { derivatives } from './derivatives.ts';

/** Sources of dropout masks: inputs that the host fills, or windows of a pool. */
const MASKS: ReadonlySet<Op> = new Set(['input', 'window']);

/** Ops that normalize their first operand. */
const NORMS: ReadonlySet<Op> = new Set(['layerNorm', 'rmsNorm']);

/** Ops that keep their output, because their derivative reads it; a sigmoid keeps its input instead. */
const KEEPS_OUTPUT: ReadonlySet<Op> = new Set(['softmax', 'exp', 'sqrt', 'tanh', 'sigmoid']);

/**
 * Returns the value that the backward pass reads instead of a forward value. A forward value is computed
 * again, so that its first copy can be freed, if this takes one cheap pass over values that are kept anyway.
 * Otherwise, the forward value itself is returned. These values are computed again:
 *
 * - the output of GELU, as x Φ(x): its derivative needs x and Φ(x) in any case;
 * - the output of a sigmoid: its derivative computes it again too;
 * - the output of a norm, if its input is kept for the norm's derivative;
 * - a dropout mask that is cut from a pool;
 * - a product of two values that are kept or computed again.
 *
 * @param active the values that are differentiated
 */
function recomputed(value: Value, active: ReadonlySet<Value>): Value {
  const { graph, op, inputs } = value.node;
  if (op === 'gelu') return multiply(inputs[0], normalCdf(inputs[0]));
  const isNorm = NORMS.has(op) && value.index === 0 && active.has(inputs[0]);
  if (isNorm || op === 'window' || (op === 'sigmoid' && active.has(value))) return graph.again(value.node)[0];
  if (op !== 'multiply') return value;
  const [a, b] = inputs;
  const bothKept = active.has(a) && active.has(b);
  const isKept = (factor: Value) =>
    bothKept || MASKS.has(factor.node.op) || (active.has(factor) && KEEPS_OUTPUT.has(factor.node.op));
  if (a === b || !isKept(a) || !isKept(b)) return value;
  return graph.again(value.node, [recomputed(a, active), recomputed(b, active)])[0];
}

/**
 * Differentiates a graph in reverse mode: adds the nodes that compute d `loss` / d `wrt[i]`. Returns these values, each
 * with the shape of its `wrt[i]`. `wrt` values count as leaves: the nodes that compute them are not differentiated. No
 * gradient is formed for a value that depends on no `wrt`.
 *
 * @param loss a float32 scalar
 * @param cuts values that divide the forward pass into segments, such as the hidden states between layers. The values
 * between two cuts are computed again for the backward pass instead of being kept. The gradients are bit for bit the
 * same.
 * @throws if a `wrt` value has no influence on the loss, or reaches it only through an op without a derivative
 */
export function gradients(loss: Value, wrt: readonly Value[], cuts: readonly Value[] = []): Value[] {
  if (loss.shape.length > 0) throw new Error(`the loss must be a scalar, not [${loss.shape}]`);
  const active = valuesThatDependOn(wrt, loss);
  const leaves = new Set(wrt);
  const forward = reachable([loss]);
  const readingFor = replaying(forward, cuts, active);
  const collected = new Map<Value, GradientSum>();
  const accumulate = (value: Value, gradient: Value) => {
    const sum = collected.get(value) ?? new GradientSum();
    collected.set(value, sum);
    sum.add(gradient);
  };

  for (const node of forward.toReversed()) {
    if (node === loss.node) accumulate(loss, expand(ones(loss), loss.shape));
    const outputGradients = node.outputs.map((output) => collected.get(output)?.total());
    if (outputGradients.every((gradient) => gradient === undefined)) continue;
    if (node.outputs.some((output) => leaves.has(output))) continue;
    const derivative = derivatives[node.op];
    if (!derivative) throw new Error(`${node.op} (node %${node.id}) has no derivative`);
    const read = readingFor(node, outputGradients);
    const inputs = node.inputs.map((operand) => recomputed(read(operand), active));
    const remembered = { ...node, inputs, outputs: node.outputs.map(read) };
    const inputGradients = derivative(remembered as never, outputGradients);
    node.inputs.forEach((operand, i) => {
      const gradient = active.has(operand) ? inputGradients[i]?.() : undefined;
      if (gradient) accumulate(operand, unbroadcast(gradient, operand.shape));
    });
  }

  return wrt.map((value) => {
    const gradient = collected.get(value)?.total();
    if (!gradient) throw new Error(`the loss does not depend on %${value.node.id} (${value.node.op})`);
    return gradient;
  });
}

/** Sums a gradient over the axes along which its value was repeated. */
function unbroadcast(gradient: Value, shape: readonly Dimension[]): Value {
  const extra = gradient.shape.length - shape.length;
  const repeated = gradient.shape.flatMap((size, axis) =>
    axis < extra || (shape[axis - extra] === 1 && !sameDimension(size, 1)) ? [axis] : [],
  );
  return reshape(sum(gradient, repeated, true), shape);
}

function valuesThatDependOn(wrt: readonly Value[], loss: Value): Set<Value> {
  const active = new Set<Value>(wrt);
  const depends = ({ op, inputs }: GraphNode) =>
    op !== 'stopGradient' && inputs.some((operand) => active.has(operand));
  for (const node of reachable([loss])) {
    if (depends(node)) for (const output of node.outputs) active.add(output);
  }
  return active;
}

function ones(like: Value): Value {
  return like.node.graph.leaf('constant', { data: [1] }, { dtype: 'float32', shape: [] });
}

type Pad = GraphNode<'pad'>;

/**
 * The sum of the gradients that a value receives from its uses. Gradients of adjacent slices are
 * concatenated, which is cheaper than padding each with zeros and adding them.
 */
class GradientSum {
  #whole: Value | undefined;
  #slices: Pad[] = [];

  add(gradient: Value): void {
    if (gradient.node.op === 'pad' && hasFixedStart(gradient.node as Pad)) {
      this.#slices.push(gradient.node as Pad);
    } else this.#addWhole(gradient);
  }

  total(): Value {
    for (const run of groupAdjacent(this.#slices)) this.#addWhole(joined(run));
    this.#slices = [];
    return this.#whole as Value;
  }

  #addWhole(gradient: Value): void {
    this.#whole = this.#whole ? add(this.#whole, gradient) : gradient;
  }
}

function hasFixedStart({ inputs: [slice], attributes: { axis, before } }: Pad): boolean {
  return typeof before === 'number' && typeof slice.shape[axis] === 'number';
}

function groupAdjacent(slices: readonly Pad[]): Pad[][] {
  const runs: Pad[][] = [];
  for (const slice of slices.toSorted((a, b) => readStart(a) - readStart(b))) {
    const run = runs.find((run) => follows(slice, run[run.length - 1]!));
    if (run) run.push(slice);
    else runs.push([slice]);
  }
  return runs;
}

function follows(next: Pad, { inputs: [slice], attributes: { axis, before } }: Pad): boolean {
  return next.attributes.axis === axis && readStart(next) === addDimensions(before, slice.shape[axis]!);
}

function readStart({ attributes: { before } }: Pad): number {
  return before as number;
}

function joined(run: readonly Pad[]): Value {
  const { axis, before } = run[0]!.attributes;
  const slices = run.map(({ inputs: [slice] }) => slice);
  return pad(concat(slices, axis), axis, before, run[run.length - 1]!.attributes.after);
}

const FROZEN: ReadonlySet<Op> = new Set(['weight', 'constant']);
/** Values that are fed or stored, not computed. */
const LEAVES: ReadonlySet<Op> = new Set([...FROZEN, 'input']);

/** Maps a forward value to the value that a derivative reads: the value itself, or a copy that is computed again. */
type Read = (value: Value) => Value;

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
function replaying(
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
