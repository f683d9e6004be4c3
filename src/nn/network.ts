import { add, matmul, weight } from '../graph/build.ts';
import type { Graph, Value } from '../graph/graph.ts';
import { DropoutSites } from './dropout.ts';

/** What a tuner adds to a network while it is built. Paths are Hugging Face's, without `.weight`. */
export interface Injection {
  /** The trained value of a whole parameter; undefined where it is frozen. */
  parameter(name: string): Value | undefined;
  /** What to add to the outputs of linear modules that read the same `x` [rows, in]; undefined for untouched ones. */
  increments(paths: readonly string[], x: Value): readonly (Value | undefined)[];
}

/** A linear module that a tuner may adapt. */
export interface LinearModule {
  path: string;
  inFeatures: number;
  outFeatures: number;
}

/**
 * Builds a model's graph. Model code asks for parameters and modules by their Hugging Face paths; the network decides
 * whether a parameter is a frozen weight or a trained value, and keeps the list of all that were asked for.
 */
export class Network {
  /** Shape of every parameter, by name, in the order of use. */
  readonly parameters = new Map<string, readonly number[]>();
  readonly linears = new Map<string, LinearModule>();
  /** Present in training only: dropout is the identity without it. */
  readonly dropouts: DropoutSites | undefined;
  readonly #injection: Injection | undefined;

  constructor(
    readonly graph: Graph,
    options: { injection?: Injection; training?: boolean } = {},
  ) {
    this.#injection = options.injection;
    this.dropouts = options.training ? new DropoutSites(graph) : undefined;
  }

  parameter(name: string, shape: readonly number[]): Value {
    this.parameters.set(name, shape);
    return this.#injection?.parameter(name) ?? weight(this.graph, name, shape);
  }

  /** x Wᵀ + b over the rows of x [rows, in], W [out, in]. */
  linear(path: string, x: Value, outFeatures: number): Value {
    return this.linearGroup([path], x, outFeatures)[0];
  }

  /** Several linear modules of one size on one input; a tuner may share work between them. */
  linearGroup(paths: readonly string[], x: Value, outFeatures: number): Value[] {
    const inFeatures = x.shape[1] as number;
    const frozen = paths.map((path) => {
      this.linears.set(path, { path, inFeatures, outFeatures });
      const product = matmul(x, this.parameter(`${path}.weight`, [outFeatures, inFeatures]), {
        transposeB: true,
      });
      return add(product, this.parameter(`${path}.bias`, [outFeatures]));
    });
    const increments = this.#injection?.increments(paths, x) ?? [];
    return frozen.map((y, i) => {
      const increment = increments[i];
      return increment ? add(y, increment) : y;
    });
  }

  dropout(x: Value, probability: number): Value {
    return this.dropouts?.apply(x, probability) ?? x;
  }
}
