import { reshape, slice } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';
import { elementCount } from '../support/element-count.ts';

/** One trained tensor. */
export interface TrainedParameter {
  /** Hugging Face's name of the parameter, or a module's path and the method's name for what it adds there. */
  name: string;
  shape: readonly number[];
}

/** A trained tensor and its range in the flat vector. */
export interface TrainedSegment extends TrainedParameter {
  start: number;
  end: number;
}

/**
 * Where each trained tensor lies in the one flat vector that the graph takes and whose gradient it returns: one after
 * the other, row-major, in the given order.
 */
export class ParameterLayout {
  readonly segments: readonly TrainedSegment[];
  readonly length: number;
  readonly #byName: ReadonlyMap<string, TrainedSegment>;

  constructor(parameters: readonly TrainedParameter[]) {
    let start = 0;
    this.segments = parameters.map(({ name, shape }) => {
      const end = start + elementCount(shape);
      const segment = { name, shape, start, end };
      start = end;
      return segment;
    });
    this.length = start;
    this.#byName = new Map(this.segments.map((segment) => [segment.name, segment]));
    if (this.#byName.size < parameters.length) throw new Error('two trained parameters share a name');
  }

  find(name: string): TrainedSegment | undefined {
    return this.#byName.get(name);
  }

  get(name: string): TrainedSegment {
    const segment = this.#byName.get(name);
    if (!segment) throw new Error(`${name} is not trained`);
    return segment;
  }

  /** The tensor inside the flat vector `values`: a view, not a copy. */
  read(values: Float32Array, name: string): Float32Array {
    const { start, end } = this.get(name);
    return values.subarray(start, end);
  }

  /** The tensor in a graph, cut out of the vector's value. */
  value(flat: Value, name: string): Value {
    const { start, end, shape } = this.get(name);
    return reshape(slice(flat, 0, start, end), shape);
  }
}
