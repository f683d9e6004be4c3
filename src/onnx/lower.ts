import type { GraphNode, Value } from '../graph/graph.ts';
import { reachable } from '../graph/print.ts';
import { verify } from '../graph/verify.ts';
import { PROGRAM } from '../support/program.ts';
import { Emitter, valueInfo } from './emitter.ts';
import { lowerFused, planFusions } from './fusion.ts';
import { loweringTable, type Target } from './lowerings.ts';
import { encodeModel } from './schema.ts';
import { emitWeight, isNarrow, type LocateWeight, widened } from './weights.ts';

export type { InlineWeight, LocateWeight, WeightLocation } from './weights.ts';

export interface LowerOptions {
  target: Target;
  locate?: LocateWeight;
}

const OPSET = 21;
const IR_VERSION = 10;

/**
 * Encodes the program that computes the named values as an ONNX model. Graph inputs keep their names; outputs get the
 * names given. The engine widens float16 and bfloat16 weights to float32 when the session starts. Tables that are only
 * looked up stay narrow, and the rows that were looked up are widened, but on a GPU.
 */
export function lower(
  outputs: Readonly<Record<string, Value>>,
  { target, locate }: LowerOptions,
): Uint8Array {
  const results = Object.values(outputs);
  verify(results);
  const nodes = schedule(reachable(results));
  const inputs = nodes
    .filter((node): node is GraphNode<'input'> => node.op === 'input')
    .map((node) => ({ name: node.attributes.name, value: node.outputs[0] }));
  const emitter = new Emitter(inputs);
  const rules = loweringTable(target);
  const names = new Map<Value, string>(inputs.map(({ name, value }) => [value, name]));
  const fusions = planFusions(nodes, results, target);
  const nameOf = (value: Value) => names.get(value) as string;
  const narrow = new Set<Value>();
  const widen = (value: Value) => {
    if (narrow.delete(value)) names.set(value, widened(emitter, nameOf(value)));
  };

  for (const node of nodes) {
    // Not every GPU computes with 16 bits, and it would have to even to look a row up.
    const isLookUp = target !== 'webgpu' && node.op === 'gather' && narrow.has(node.inputs[0]);
    emitter.origin = node;
    if (!isLookUp) for (const value of node.inputs) widen(value);
    if (node.op === 'input' || fusions.absorbed.has(node)) continue;
    if (node.op === 'weight') {
      if (!locate) throw new Error('a graph with weights needs `locate`');
      const place = locate((node as GraphNode<'weight'>).attributes.name);
      names.set(node.outputs[0], emitWeight(emitter, node as GraphNode<'weight'>, place));
      if (isNarrow(place)) narrow.add(node.outputs[0]);
      continue;
    }
    const lowered =
      lowerFused(emitter, fusions, node, nameOf) ??
      rules[node.op](emitter, node as never, node.inputs.map(nameOf));
    node.outputs.forEach((value, i) => {
      names.set(value, isLookUp ? widened(emitter, lowered[i]) : lowered[i]);
    });
  }

  for (const [name, value] of Object.entries(outputs)) {
    emitter.nodes.push(identity(names.get(value) as string, name));
  }
  return encodeModel({
    ir_version: IR_VERSION,
    producer_name: PROGRAM,
    opset_import: [
      { domain: '', version: OPSET },
      { domain: 'com.microsoft', version: 1 },
    ],
    graph: {
      name: PROGRAM,
      // ONNX Runtime walks back from the outputs; of a node's inputs it visits first the one that is listed last. So
      // that nodes run in the order of the schedule, they are listed in reverse.
      node: emitter.nodes.reverse(),
      initializer: emitter.initializers,
      input: inputs.map(({ name, value }) => valueInfo(name, value)),
      output: Object.entries(outputs).map(([name, value]) => valueInfo(name, value)),
    },
  });
}

/**
 * The nodes of a program in the order in which they should run: graph order, but each view right after what it views. So
 * a weight's gradient is flattened as soon as it is there, and the activations it was made from can be freed.
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

function identity(from: string, to: string) {
  return {
    name: `output_${to}`,
    op_type: 'Identity',
    domain: '',
    input: [from],
    output: [to],
    attribute: [],
  };
}
