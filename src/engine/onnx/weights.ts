import type { GraphNode, Value } from '../graph/graph.ts';
import type { Emitter } from './emitter.ts';
import type { NameOf, WeightStorage } from './lower-graph.ts';
import type { Target } from './lowerings.ts';
import { ELEMENT } from './schema.ts';

/** The location of a frozen tensor's bytes in a file, which the engine maps (ONNX external data). */
export interface WeightLocation {
  /** Name of a file in the session's weight folder. */
  file: string;
  /** Byte offsets in the file: `begin` inclusive, `end` exclusive. */
  begin: number;
  end: number;
  dtype: 'float32' | 'float16' | 'bfloat16' | 'uint8';
  /** The order of the axes in memory, slowest first. Undefined for row-major. */
  axes?: readonly number[];
}

/** A frozen tensor that is not in a file. It becomes part of the model. */
export interface InlineWeight {
  data: Float32Array | Uint8Array;
}

type WeightPlace = WeightLocation | InlineWeight;
/** Returns the location of a `weight` node's tensor. Called once for each name. */
export type LocateWeight = (name: string) => WeightPlace;

/**
 * Weights from a checkpoint or a rounded base. The engine widens float16 and bfloat16 to float32 when the session
 * starts. Lookup tables keep their type, and only the rows that are looked up are widened, except on a GPU.
 */
export class LocatedWeights implements WeightStorage {
  readonly #target: Target;
  readonly #locate: LocateWeight | undefined;
  readonly #places = new Map<Value, WeightPlace>();

  constructor(target: Target, locate: LocateWeight | undefined) {
    this.#target = target;
    this.#locate = locate;
  }

  whole(emitter: Emitter, weight: Value): string {
    const name = this.#stored(emitter, weight);
    return this.#isNarrow(weight) ? emitter.once(`${name} widened`, () => [widened(emitter, name)])[0] : name;
  }

  reads({ op, inputs: [table] }: GraphNode): boolean {
    // Even a lookup of 16-bit values needs a GPU that computes with 16 bits, and not every GPU does.
    return (
      this.#target !== 'webgpu' && op === 'gather' && table.node.op === 'weight' && this.#isNarrow(table)
    );
  }

  lower(emitter: Emitter, { inputs: [table, ids] }: GraphNode, nameOf: NameOf): string {
    const rows = emitter.emit('Gather', [this.#stored(emitter, table), nameOf(ids)], { axis: 0 });
    return widened(emitter, rows);
  }

  #stored(emitter: Emitter, weight: Value): string {
    const node = weight.node as GraphNode<'weight'>;
    return emitter.once(`weight ${node.attributes.name}`, () => [
      emitWeight(emitter, node, this.#place(weight)),
    ])[0];
  }

  #isNarrow(weight: Value): boolean {
    const place = this.#place(weight);
    return !('data' in place) && (place.dtype === 'float16' || place.dtype === 'bfloat16');
  }

  #place(weight: Value): WeightPlace {
    if (!this.#locate) throw new Error('a graph with weights needs `locate`');
    const { name, make } = (weight.node as GraphNode<'weight'>).attributes;
    const place = this.#places.get(weight) ?? (make ? { data: make() } : this.#locate(name));
    this.#places.set(weight, place);
    return place;
  }
}

/** Adds a frozen tensor in its stored type, and returns its name. */
function emitWeight(
  emitter: Emitter,
  { attributes: { name }, outputs: [{ shape }] }: GraphNode<'weight'>,
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
    dims: axes ? axes.map((axis) => stored[axis]!) : stored,
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

/** A 16-bit tensor as float32. */
function widened(emitter: Emitter, name: string): string {
  return emitter.emit('Cast', [name], { to: ELEMENT.float32 });
}
