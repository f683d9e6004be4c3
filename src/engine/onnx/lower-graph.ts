import type { GraphNode, Value } from '../graph/graph.ts';
import type { Operands } from '../graph/ops.ts';
import { reachable } from '../graph/print.ts';
import { verify } from '../graph/verify.ts';
import { Emitter, valueInfo } from './emitter.ts';
import type { WeightStorage } from './encode-model.ts';
import { lowerFused, planFusions } from './fusion.ts';
import { loweringTable, type Target } from './lowerings.ts';
import { ELEMENT, type LoweredGraph, type NodeFields } from './schema.ts';

export interface LowerGraphOptions {
  target: Target;
  weights: WeightStorage;
  /** Whether integer inputs are declared as int64. */
  wideIntegers?: boolean;
  /** Prefix of the names of nodes and constants. It keeps several programs in one model apart. */
  prefix?: string;
}

/**
 * Lowers the program that computes the named values. Inputs keep their names. Outputs are named by the keys of
 * `outputs`.
 */
export function lowerGraph(
  outputs: Readonly<Record<string, Value>>,
  { target, weights, wideIntegers = false, prefix = '' }: LowerGraphOptions,
): LoweredGraph {
  const results = Object.values(outputs);
  verify(results);
  const nodes = schedule(reachable(results));
  const inputs = nodes
    .filter((node): node is GraphNode<'input'> => node.op === 'input')
    .map((node) => ({ name: node.attributes.name, value: node.outputs[0] }));
  const emitter = new Emitter(inputs, prefix);
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
