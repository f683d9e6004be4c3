import { reshape, slice } from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { AdapterTensors } from '../../input/formats/adapters/stored-adapter.ts';
import { elementCount } from '../../support/arrays.ts';

/** One trained tensor. */
export interface TrainedParameter {
  /** Hugging Face's name of the parameter. For added parameters, a module's path and the method's name. */
  name: string;
  shape: readonly number[];
}

/** A range of the flat vector that the graph reads as one tensor. */
interface TrainedStack {
  /** The shape of a single trained tensor. For several tensors, it is that of all their rows, [total rows, ...]. */
  shape: readonly number[];
  start: number;
  end: number;
}

/** A trained tensor and its range in the flat vector. */
export interface TrainedSegment extends TrainedParameter {
  start: number;
  end: number;
  stack: TrainedStack;
}

/**
 * The positions of all trained tensors in the flat vector. They are adjacent, row-major, and in the given order. The
 * graph takes this vector and returns its gradient. Tensors given as a list are stacked: they differ only in their
 * number of rows, and the graph reads them as one tensor.
 */
export class ParameterLayout {
  readonly segments: readonly TrainedSegment[];
  /** The stacks that are not empty. The graph computes gradients with respect to them. */
  readonly stacks: readonly TrainedStack[];
  readonly length: number;
  readonly #byName: ReadonlyMap<string, TrainedSegment>;

  constructor(parameters: readonly (TrainedParameter | readonly TrainedParameter[])[]) {
    let start = 0;
    const segments: TrainedSegment[] = [];
    const stacks: TrainedStack[] = [];
    for (const each of parameters) {
      const members = Array.isArray(each)
        ? (each as readonly TrainedParameter[])
        : [each as TrainedParameter];
      const stack = { shape: stackedShape(members), start, end: start };
      for (const { name, shape } of members) {
        stack.end = start + elementCount(shape);
        segments.push({ name, shape, start, end: stack.end, stack });
        start = stack.end;
      }
      if (stack.end > stack.start) stacks.push(stack);
    }
    this.segments = segments;
    this.stacks = stacks;
    this.length = start;
    this.#byName = new Map(segments.map((segment) => [segment.name, segment]));
    if (this.#byName.size < segments.length) throw new Error('two trained parameters share a name');
  }

  /** The same layout without stacks: the graph reads every tensor separately. */
  apart(): ParameterLayout {
    return new ParameterLayout(this.segments);
  }

  find(name: string): TrainedSegment | undefined {
    return this.#byName.get(name);
  }

  get(name: string): TrainedSegment {
    const segment = this.#byName.get(name);
    if (!segment) throw new Error(`${name} is not trained`);
    return segment;
  }

  /** The tensor inside the flat vector `values`, as a view. */
  read(values: Float32Array, name: string): Float32Array {
    const { start, end } = this.get(name);
    return values.subarray(start, end);
  }

  /** Sets some tensors of the flat vector `values` to the values of the model's parameters. */
  readInto(
    values: Float32Array,
    parameters: readonly TrainedParameter[],
    read: (name: string, shape: readonly number[]) => Float32Array,
  ): Float32Array {
    for (const { name, shape } of parameters) this.read(values, name).set(read(name, shape));
    return values;
  }

  /** A flat vector with the data of these tensors, by name. */
  vector(tensors: Iterable<readonly [name: string, tensor: { data: Float32Array }]>): Float32Array {
    const values = new Float32Array(this.length);
    for (const [name, { data }] of tensors) this.read(values, name).set(data);
    return values;
  }

  /** The tensors of the flat vector `values` under other names, as files store them. */
  tensors(values: Float32Array, nameOf = (name: string) => name): AdapterTensors {
    return new Map(
      this.segments.map(({ name, shape }) => [
        nameOf(name),
        { shape: [...shape], data: this.read(values, name) },
      ]),
    );
  }

  /** The tensor in a graph, cut out of the vector's value. Undefined for the name of another tensor. */
  own(flat: Value): (name: string) => Value | undefined {
    return (name) => this.find(name) && this.value(flat, name);
  }

  /** The tensor in a graph, cut out of the vector's value. */
  value(flat: Value, name: string): Value {
    const { stack, shape } = this.get(name);
    return shape === stack.shape
      ? stackValue(flat, stack)
      : slice(stackValue(flat, stack), 0, ...this.rows(name));
  }

  /** The rows [from, to) of a tensor within its stack. */
  rows(name: string): [from: number, to: number] {
    const { stack, shape, start } = this.get(name);
    const from = (start - stack.start) / elementCount(stack.shape.slice(1));
    return [from, from + shape[0]!];
  }
}

/** A stack in a graph, cut out of the vector's value. */
export function stackValue(flat: Value, { start, end, shape }: TrainedStack): Value {
  return reshape(slice(flat, 0, start, end), shape);
}

function stackedShape(members: readonly TrainedParameter[]): readonly number[] {
  const { shape } = members[0]!;
  if (members.length === 1) return shape;
  return [members.reduce((sum, { shape: [rows] }) => sum + rows!, 0), ...shape.slice(1)];
}
