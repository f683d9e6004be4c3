import type { Node, Value } from '../graph/graph.ts';
import { reachable } from '../graph/print.ts';
import { verify } from '../graph/verify.ts';
import { PROGRAM } from '../support/program.ts';
import { Emitter, valueInfo } from './emitter.ts';
import { lowerFused, planFusions } from './fusion.ts';
import { loweringTable, type Target } from './rules.ts';
import { schedule } from './schedule.ts';
import { ELEMENT, encodeModel } from './schema.ts';

/** Bytes of a frozen tensor inside a file: ONNX external data, mapped by the engine, never read here. */
export interface WeightLocation {
  /** Name of a file in the session's weight folder. */
  file: string;
  /** Byte offset in it. */
  begin: number;
  end: number;
  dtype: 'float32' | 'float16' | 'bfloat16' | 'uint8';
  /** The order in which its axes lie there, slowest first, where it is not row-major. */
  axes?: readonly number[];
}

/** A frozen tensor that no file holds: it becomes part of the model. */
export interface InlineWeight {
  data: Float32Array | Uint8Array;
}

export type WeightPlace = WeightLocation | InlineWeight;
/** Where each `weight` node's tensor lies; asked once a name. */
export type LocateWeight = (name: string) => WeightPlace;

export interface LowerOptions {
  target: Target;
  locate?: LocateWeight;
}

const OPSET = 21;
const IR_VERSION = 10;

/**
 * Encodes the program that computes the named values as an ONNX model. Graph inputs keep their names; outputs get the
 * names given. Float16 and bfloat16 weights are widened by the engine when the session starts; of a table that is only
 * looked up, the rows that are, but on a GPU.
 */
export function lower(
  outputs: Readonly<Record<string, Value>>,
  { target, locate }: LowerOptions,
): Uint8Array {
  const results = Object.values(outputs);
  verify(results);
  const nodes = schedule(reachable(results));
  const inputs = nodes
    .filter((node): node is Node<'input'> => node.op === 'input')
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
    emitter.origin = node.op;
    if (!isLookUp) for (const value of node.inputs) widen(value);
    if (node.op === 'input' || fusions.absorbed.has(node)) continue;
    if (node.op === 'weight') {
      if (!locate) throw new Error('a graph with weights needs `locate`');
      const place = locate((node as Node<'weight'>).attributes.name);
      names.set(node.outputs[0], emitWeight(emitter, node as Node<'weight'>, place));
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
      // ONNX Runtime walks back from the outputs and takes, of several inputs, the node listed last first: listed in
      // reverse, nodes run in the order in which they were scheduled.
      node: emitter.nodes.reverse(),
      initializer: emitter.initializers,
      input: inputs.map(({ name, value }) => valueInfo(name, value)),
      output: Object.entries(outputs).map(([name, value]) => valueInfo(name, value)),
    },
  });
}

/** Adds a frozen tensor as it is stored. */
function emitWeight(
  emitter: Emitter,
  { attributes: { name }, outputs: [{ shape }] }: Node<'weight'>,
  place: WeightPlace,
): string {
  const stored = shape as number[];
  if ('data' in place) {
    const { buffer, byteOffset, byteLength } = place.data;
    const raw_data = new Uint8Array(buffer, byteOffset, byteLength);
    const data_type = place.data instanceof Uint8Array ? ELEMENT.uint8 : ELEMENT.float32;
    emitter.initializers.push({ name, dims: stored, data_type, raw_data });
    return name;
  }
  const { file, begin, end, dtype, axes } = place;
  emitter.initializers.push({
    name,
    dims: axes ? axes.map((axis) => stored[axis]) : stored,
    data_type: ELEMENT[dtype],
    data_location: 1,
    external_data: [
      { key: 'location', value: file },
      { key: 'offset', value: String(begin) },
      { key: 'length', value: String(end - begin) },
    ],
  });
  return axes
    ? emitter.emit('Transpose', [name], { perm: stored.map((_, axis) => axes.indexOf(axis)) })
    : name;
}

function isNarrow(place: WeightPlace): boolean {
  return !('data' in place) && (place.dtype === 'float16' || place.dtype === 'bfloat16');
}

function widened(emitter: Emitter, name: string): string {
  return emitter.emit('Cast', [name], { to: ELEMENT.float32 });
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
