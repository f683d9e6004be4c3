import type { GraphNode } from '../graph/graph.ts';
import type { Emitter } from './emitter.ts';
import { ELEMENT } from './schema.ts';

/** Where the bytes of a frozen tensor lie in a file. The engine maps them (ONNX external data); nobody reads them here. */
export interface WeightLocation {
  /** Name of a file in the session's weight folder. */
  file: string;
  /** Byte offset in it. */
  begin: number;
  end: number;
  dtype: 'float32' | 'float16' | 'bfloat16' | 'uint8';
  /** The order of its axes in memory, slowest first; undefined where it is row-major. */
  axes?: readonly number[];
}

/** A frozen tensor that no file holds: it becomes part of the model. */
export interface InlineWeight {
  data: Float32Array | Uint8Array;
}

type WeightPlace = WeightLocation | InlineWeight;
/** Tells where the tensor of a `weight` node lies; asked once for each name. */
export type LocateWeight = (name: string) => WeightPlace;

/** Adds a frozen tensor in the type in which it is stored, and returns its name. */
export function emitWeight(
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

/** Whether a tensor is stored in 16 bits. */
export function isNarrow(place: WeightPlace): boolean {
  return !('data' in place) && (place.dtype === 'float16' || place.dtype === 'bfloat16');
}

/** A 16-bit tensor as float32. */
export function widened(emitter: Emitter, name: string): string {
  return emitter.emit('Cast', [name], { to: ELEMENT.float32 });
}
