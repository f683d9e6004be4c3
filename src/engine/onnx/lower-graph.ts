import { type Dimension, multiplyDimensions, sameDimension, sameShape } from '../graph/dimension.ts';
import type { GraphNode, Value } from '../graph/graph.ts';
import type { Operands } from '../graph/ops.ts';
import { reachable } from '../graph/print.ts';
import { verify } from '../graph/verify.ts';
import { Emitter, valueInfo } from './emitter.ts';
import { fusedMatMul, gemm, loweringTable, type Target } from './lowerings.ts';
import { ELEMENT, type LoweredGraph, type NodeFields } from './schema.ts';

interface LowerGraphOptions {
  target: Target;
  weights: WeightStorage;
  /** Whether integer inputs are declared as int64. */
  wideIntegers?: boolean;
  /** Whether products of signed bytes are wrong on this processor. */
  saturates?: boolean;
  /** Prefix of the names of nodes and constants. It keeps several programs in one model apart. */
  prefix?: string;
}

/**
 * Lowers the program that computes the named values. Inputs keep their names. Outputs are named by the keys of
 * `outputs`.
 */
export function lowerGraph(
  outputs: Readonly<Record<string, Value>>,
  { target, weights, wideIntegers = false, prefix = '', saturates }: LowerGraphOptions,
): LoweredGraph {
  const results = Object.values(outputs);
  verify(results);
  const nodes = schedule(reachable(results));
  const inputs = nodes
    .filter((node): node is GraphNode<'input'> => node.op === 'input')
    .map((node) => ({ name: node.attributes.name, value: node.outputs[0] }));
  const emitter = new Emitter(inputs, prefix, saturates);
  const rules = loweringTable(target);
  const fusions = planFusions(nodes, results, target, (node) => weights.reads(node));
  const isWide = ({ dtype }: Value) => wideIntegers && dtype === 'int32';
  const names = new Map<Value, string>();
  const nameOf = (value: Value) =>
    value.node.op === 'weight' ? weights.whole(emitter, value) : (names.get(value) as string);

  for (const node of nodes) {
    emitter.origin = node;
    if (node.op === 'weight' || fusions.absorbed.has(node)) continue;
    if (node.op === 'input') {
      const [value] = node.outputs;
      const { name } = (node as GraphNode<'input'>).attributes;
      names.set(value, isWide(value) ? emitter.emit('Cast', [name], { to: ELEMENT.int32 }) : name);
      continue;
    }
    const lowered = weights.reads(node)
      ? [weights.lower(emitter, node, nameOf)]
      : (lowerFused(emitter, fusions, node, nameOf) ??
        rules[node.op](
          emitter,
          node as never,
          node.inputs.map(nameOf) as readonly string[] as Operands<string>,
        ));
    node.outputs.forEach((value, i) => {
      names.set(value, emitter.declare(lowered[i]!, ELEMENT[value.dtype], value.shape));
    });
  }
  for (const [name, value] of Object.entries(outputs)) emitter.nodes.push(identity(nameOf(value), name));
  return {
    nodes: emitter.nodes,
    initializers: emitter.initializers,
    inputs: inputs.map(({ name, value }) =>
      valueInfo(name, isWide(value) ? ELEMENT.int64 : ELEMENT[value.dtype], value.shape),
    ),
    outputs: Object.entries(outputs).map(([name, { dtype, shape }]) =>
      valueInfo(name, ELEMENT[dtype], shape),
    ),
    values: emitter.declarations(),
  };
}

/**
 * Orders the nodes of a program for execution: graph order, but each view directly after its source. So a weight's
 * gradient is flattened as soon as it is ready, and the activations that it was computed from can be freed.
 */
function schedule(nodes: readonly GraphNode[]): GraphNode[] {
  const views = new Map<GraphNode, GraphNode[]>();
  for (const node of nodes) {
    if (node.op !== 'reshape') continue;
    const viewed = node.inputs[0].node;
    views.set(viewed, [...(views.get(viewed) ?? []), node]);
  }
  const place = (node: GraphNode): GraphNode[] => [node, ...(views.get(node) ?? []).flatMap(place)];
  return nodes.filter(({ op }) => op !== 'reshape').flatMap(place);
}

/** A node that copies a value to a second name. */
export function identity(from: string, to: string): NodeFields {
  return {
    name: `output_${to}`,
    op_type: 'Identity',
    domain: '',
    input: [from],
    output: [to],
    attribute: [],
  };
}

/** Nodes that an engine's operator computes together with a neighboring node. */
interface Fusions {
  /** Sums computed by their product: `Gemm` adds its third operand (not on the CPU). */
  sums: ReadonlyMap<GraphNode, { product: GraphNode<'matmul'>; addend: Value }>;
  /** Transposed operands, each with the value before the transposition. `FusedMatMul` reads that value in place. */
  turned: ReadonlyMap<Value, Value>;
  /** Attention, by its product of weights and values. `MultiHeadAttention` computes it in blocks. */
  attentions: ReadonlyMap<GraphNode, Attention>;
  /** Nodes that are not emitted, because all their users are fused with them. */
  absorbed: ReadonlySet<GraphNode>;
}

/**
 * Finds the nodes to fuse in a program. This function lists all patterns.
 *
 * @param stays whether a node must be emitted by itself
 */
function planFusions(
  nodes: readonly GraphNode[],
  results: readonly Value[],
  target: Target,
  stays: (node: GraphNode) => boolean,
): Fusions {
  const users = new Map<Value, GraphNode[]>(results.map((value) => [value, [value.node]]));
  for (const node of nodes) {
    // A lowered `watch` reads only its first operand.
    const read = node.op === 'watch' ? node.inputs.slice(0, 1) : node.inputs;
    for (const value of read) users.set(value, [...(users.get(value) ?? []), node]);
  }
  const sums = productsInsideSums(
    nodes,
    users,
    (value, addend) => !stays(value.node) && takesAddend(value, addend, target),
  );
  const attentions = target === 'cpu' ? findAttentions(nodes, users) : new Map<GraphNode, Attention>();
  const absorbed = new Set<GraphNode>([...attentions.values()].flatMap(({ inner }) => inner));
  const isProduct = (node: GraphNode) => node.op === 'matmul' && !attentions.has(node) && !absorbed.has(node);
  const turned = target === 'cpu' ? turnedOperands(nodes, users, isProduct) : new Map<Value, Value>();
  for (const { product } of sums.values()) absorbed.add(product);
  for (const value of turned.keys()) absorbed.add(value.node);
  return { sums, turned, attentions, absorbed };
}

/** Emits a node that is part of a fusion. Returns undefined for all other nodes. */
function lowerFused(
  emitter: Emitter,
  { sums, turned, attentions }: Fusions,
  node: GraphNode,
  nameOf: (value: Value) => string,
): string[] | undefined {
  const sum = sums.get(node);
  if (sum) {
    const operands = [...sum.product.inputs, sum.addend].map(nameOf);
    return [gemm(emitter, sum.product, operands)];
  }
  const attention = attentions.get(node);
  if (attention) return [fusedAttention(emitter, attention, nameOf)];
  if (node.op !== 'matmul' || !node.inputs.some((value) => turned.has(value))) return undefined;
  const operands = node.inputs.map((value) => nameOf(turned.get(value) ?? value));
  const [transBatchA, transBatchB] = node.inputs.map((value) => Number(turned.has(value)));
  return [fusedMatMul(emitter, node as GraphNode<'matmul'>, operands, { transBatchA, transBatchB })];
}

type Users = ReadonlyMap<Value, readonly GraphNode[]>;

/**
 * Finds sums with a two-dimensional product that has no other use. Fusing them saves a pass over the activations for
 * every bias, adapter and gradient that is added to a product.
 */
function productsInsideSums(
  nodes: readonly GraphNode[],
  users: Users,
  takes: (product: Value, addend: Value) => boolean,
): Fusions['sums'] {
  const sums = new Map<GraphNode, { product: GraphNode<'matmul'>; addend: Value }>();
  for (const node of nodes) {
    if (node.op !== 'add') continue;
    const [a, b] = node.inputs;
    // If both sides are products, the later one is fused, because the earlier one is then ready.
    const candidates = [
      { value: a, addend: b },
      { value: b, addend: a },
    ].sort((x, y) => y.value.node.id - x.value.node.id);
    const match = candidates.find(
      ({ value, addend }) => users.get(value)?.length === 1 && takes(value, addend),
    );
    if (match) sums.set(node, { product: match.value.node as GraphNode<'matmul'>, addend: match.addend });
  }
  return sums;
}

function takesAddend({ node, shape }: Value, addend: Value, target: Target): boolean {
  // The CPU kernel first copies the addend in a single thread, so a separate sum is faster.
  if (target === 'cpu') return false;
  const broadcasts = addend.shape.every((size, i) => {
    const axis = 2 - addend.shape.length + i;
    return size === 1 || sameDimension(size, shape[axis]!);
  });
  return node.op === 'matmul' && shape.length === 2 && addend.shape.length <= 2 && broadcasts;
}

/**
 * Finds transposes from [sequence, …heads, size] to […heads, sequence, size] that only products read, as in attention.
 */
function turnedOperands(
  nodes: readonly GraphNode[],
  users: Users,
  isProduct: (user: GraphNode) => boolean,
): Fusions['turned'] {
  const turned = new Map<Value, Value>();
  for (const node of nodes) {
    if (node.op !== 'transpose') continue;
    const [output] = node.outputs;
    const { permutation } = (node as GraphNode<'transpose'>).attributes;
    const isOperand = users.get(output)?.every(isProduct);
    if (isOperand && movesFirstAxisInward(permutation)) turned.set(output, node.inputs[0]);
  }
  return turned;
}

/** Whether a permutation such as [1, 0, 2] or [1, 2, 0, 3] only makes the first axis the second to last. */
function movesFirstAxisInward(permutation: readonly number[]): boolean {
  const last = permutation.length - 1;
  return last >= 2 && permutation.every((from, axis) => from === (axis === last ? last : (axis + 1) % last));
}

/** softmax(scale · Q Kᵀ + bias) V. Queries, keys and values are [batch · heads, tokens, size]. */
interface Attention {
  operands: readonly [Value, Value, Value];
  scale: number;
  /** A bias of keys, [batch, 1, 1, keys], if there is one. */
  bias?: Value;
  heads: number;
  /** The nodes from the scores to the weights. */
  inner: readonly GraphNode[];
}

/**
 * Finds attention of tokens to each other whose scores and weights nothing else reads, as in passes without gradients.
 * A program that repeats nodes has none, because the repetition would differ in the last bits.
 */
function findAttentions(nodes: readonly GraphNode[], users: Users): Map<GraphNode, Attention> {
  if (nodes.some(({ repeat }) => repeat > 0)) return new Map();
  return new Map(
    nodes.flatMap((node) => {
      const attention = node.op === 'matmul' && readAttention(node as GraphNode<'matmul'>, users);
      return attention ? [[node, attention]] : [];
    }),
  );
}

function readAttention(product: GraphNode<'matmul'>, users: Users): Attention | undefined {
  const [weights, values] = product.inputs;
  if (weights.node.op !== 'softmax') return undefined;
  const inner: GraphNode[] = [];
  let bias: Value | undefined;
  let heads = 1;
  for (let at = weights; users.get(at)?.length === 1; at = at.node.inputs[0]) {
    inner.push(at.node);
    if (at.node.op === 'matmul') break;
    if (at.node.op === 'add') bias = at.node.inputs[1];
    else if (at !== weights && at.node.op !== 'reshape') return undefined;
    if (at.shape.length === 4) heads = at.shape[1] as number;
  }
  const scores = inner.at(-1) as GraphNode<'matmul'> | undefined;
  if (scores?.op !== 'matmul') return undefined;
  const [queries, keys] = scores.inputs;
  const { transposeA, transposeB, scale } = scores.attributes;
  const { transposeA: isTurned, transposeB: hasTurned, scale: factor } = product.attributes;
  const isPlain = !transposeA && transposeB && !isTurned && !hasTurned && factor === 1;
  const [groups] = queries.shape;
  const isWithin = queries.shape.length === 3 && sameShape(queries.shape, keys.shape);
  const isOfKeys = (x: Value) =>
    String(x.shape.slice(1, -1)) === '1,1' && sameDimension(multiplyDimensions(x.shape[0]!, heads), groups!);
  if (!isPlain || !isWithin || (bias && !isOfKeys(bias))) return undefined;
  return { operands: [queries, keys, values], scale, bias, heads, inner };
}

/**
 * The engine's kernel computes blocks only without a mask. So the bias is one more feature of the keys, which is
 * multiplied by a feature of the queries that is 1.
 */
function fusedAttention(e: Emitter, { operands, scale, bias, heads }: Attention, nameOf: NameOf): string {
  const [queries, keys, values] = operands.map(nameOf) as [string, string, string];
  const attend = (q: string, k: string) =>
    e.emit('MultiHeadAttention', [q, k, values], { num_heads: 1, scale: { float: scale } }, 'com.microsoft');
  if (!bias) return attend(queries, keys);
  const [groups, tokens] = operands[0].shape as [Dimension, Dimension];
  const [ones, column] = e.once(`${nameOf(bias)} for ${heads} heads`, () => {
    const unscaled = e.emit('Mul', [nameOf(bias), e.float32([1 / scale], [])]);
    const byHead = e.emit('Expand', [unscaled, e.int64([1, heads, 1, 1])]);
    const shape = e.shape([groups, tokens, 1]);
    return [e.emit('Expand', [e.float32([1], []), shape]), e.emit('Reshape', [byHead, shape])];
  });
  const withFeature = (x: string, feature: string) => e.emit('Concat', [x, feature], { axis: 2 });
  return attend(withFeature(queries, ones), withFeature(keys, column));
}

/** Returns the name of a value. For a weight, it is the result of {@link WeightStorage.whole}. */
export type NameOf = (value: Value) => string;

/** How a program's frozen tensors are stored, and how nodes read them. A tensor is emitted when it is first read. */
export interface WeightStorage {
  /** Returns the name of a tensor as float32 (bytes remain bytes). */
  whole(emitter: Emitter, weight: Value): string;
  /** Whether a node reads a tensor in its stored form. Such a node is emitted by {@link lower} and not fused. */
  reads(node: GraphNode): boolean;
  /** Emits a node for which {@link reads} is true. Returns the name of its output. */
  lower(emitter: Emitter, node: GraphNode, nameOf: NameOf): string;
}
