import { frozen } from '../../engine/graph/build.ts';
import type { Graph, Value } from '../../engine/graph/graph.ts';
import { ParameterLayout, type TrainedParameter } from './parameter-layout.ts';

/** Tensors that a tuner reads but does not train. Their values may be set after the graph is built. */
export class FrozenTensors {
  readonly layout: ParameterLayout;
  #values: Float32Array | undefined;

  constructor(parameters: readonly TrainedParameter[]) {
    this.layout = new ParameterLayout(parameters);
  }

  /** Allocated on first use, because a file may declare sizes beyond any memory. */
  get values(): Float32Array {
    this.#values ??= new Float32Array(this.layout.length);
    return this.#values;
  }

  /** Returns a view, not a copy. */
  read(name: string): Float32Array {
    return this.layout.read(this.values, name);
  }

  value(graph: Graph, name: string): Value {
    return frozen(graph, name, this.layout.get(name).shape, () => this.read(name));
  }
}
