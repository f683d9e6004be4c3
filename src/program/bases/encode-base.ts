import type { WeightLocation } from '../../engine/onnx/weights.ts';
import type { MadeTensor } from '../../input/formats/tensor-data.ts';
import { elementCount } from '../../support/arrays.ts';
import type { LoadedModel } from '../weight-memory.ts';
import type { BaseFormat, MatrixShape } from './base-format.ts';

/** Elements per read. */
const CHUNK = 2 ** 20;

const STORED = { float32: 'F32', float16: 'F16', bfloat16: 'BF16', uint8: 'U8' } as const;

/** The weights and inputs from which a base is made. */
export interface BaseSource {
  format: BaseFormat;
  /** The largest input magnitudes of the modules in `format.measured`. */
  magnitudes: ReadonlyMap<string, Float32Array>;
  /** Returns the bytes of a tensor in the model's checkpoint. */
  stored(place: WeightLocation): Iterable<Uint8Array>;
  /** Returns the bytes of a tensor in the copy over which magnitudes were measured. They are not computed again. */
  measured(name: string): Iterable<Uint8Array> | undefined;
}

/**
 * The tensors of a base in a storage format. Tensors that the format does not change are copied. Parameters that the
 * checkpoint lacks are omitted.
 */
export function baseTensors(
  model: LoadedModel,
  { format, magnitudes, stored, measured }: BaseSource,
): MadeTensor[] {
  const tensors = [...model.parameters, ...model.buffers].flatMap(([name, shape]): MadeTensor[] => {
    const place = model.locate(name);
    if ('data' in place) return [];
    const read = (start: number, end: number) => model.readRange(name, start, end);
    const module = name.replace(/\.weight$/, '');
    const { paths, words } = format.base;
    const isRounded = paths.has(module) || words === module;
    const rounded = isRounded
      ? format.tensors(module, shape as MatrixShape, read, magnitudes.get(module))
      : [];
    if (paths.has(module)) return rounded;
    const whole: MadeTensor = place.axes
      ? { name, dtype: 'F32', shape, make: () => inChunks(elementCount(shape), read) }
      : {
          name,
          dtype: STORED[place.dtype],
          shape,
          make: () => stored(place),
        };
    return [whole, ...rounded];
  });
  return tensors.map((tensor) => ({
    ...tensor,
    make: () => measured(tensor.name) ?? tensor.make(),
  }));
}

function* inChunks(count: number, read: (start: number, end: number) => Float32Array): Generator<Uint8Array> {
  for (let start = 0; start < count; start += CHUNK) {
    const { buffer, byteOffset, byteLength } = read(start, Math.min(count, start + CHUNK));
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}
