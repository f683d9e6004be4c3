import { frozen } from '../../engine/graph/build.ts';
import type { Graph, Value } from '../../engine/graph/graph.ts';
import type { HeadKind } from '../../models/heads/registry.ts';
import type { CommonConfig, Head, ModelDefinition } from '../../models/model-definition.ts';
import type { Injection, LinearModule, Sublayer } from '../../models/nn/network.ts';
import type { Banked } from './bank/bank-form.ts';
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

/** A model as a tuner sees it. */
export interface TunableModel {
  definition: ModelDefinition;
  config: CommonConfig;
  headKind: HeadKind;
  head: Head;
  linears: readonly LinearModule[];
  /** The possible positions of adapters, in the order in which the model builds them. */
  sublayers: readonly Sublayer[];
  /** Shape of every parameter, by its Hugging Face name. */
  parameters: ReadonlyMap<string, readonly number[]>;
  /** Shape of every tensor that no method trains. */
  buffers: ReadonlyMap<string, readonly number[]>;
  /** Names of the tables of word embeddings. */
  wordTables: ReadonlySet<string>;
  /** Reads the weights of the adapted modules. Set if the model is loaded. */
  readRange?: ReadRange;
}

/** Reads a parameter of the checkpoint, or initializes a parameter that the checkpoint lacks. */
export type ReadParameter = (name: string, shape: readonly number[]) => Float32Array;

/** Returns elements [start, end) of a parameter, row-major, in newly allocated memory. */
export type ReadRange = (name: string, start: number, end: number) => Float32Array;

/** A module of the network that a method changes, or after which it adds a layer. */
export interface TunedSite {
  /** The module's Hugging Face path. */
  path: string;
  /** Number of trained values there, as the paper counts them: without λ in AdaLoRA. */
  parameters: number;
}

/** A network's dropout. */
export type Dropout = (x: Value, probability: number) => Value;

/** Returns a random value of 1/parts, …, 1, [], new in each training step; undefined in evaluation. */
export type Fraction = (parts: number) => Value | undefined;

/** The values that a method trains, and what it adds to the model's graph. */
export interface Tuner {
  readonly layout: ParameterLayout;
  /** The places in the network that it changes. Empty if it trains the whole model. */
  readonly sites: readonly TunedSite[];
  /** Tensors that the tuner reads but does not train. {@link initialValues} or an import sets their values. */
  readonly frozen?: FrozenTensors;
  /** The trained vector before the first step. */
  initialValues(seed: number, read: ReadParameter): Float32Array;
  /**
   * Injects the method into a network. `flat` is the vector's value, `dropout` the network's.
   *
   * @param layout a layout of the same tensors that may stack them differently; by default the tuner's
   */
  inject(flat: Value, dropout: Dropout, layout?: ParameterLayout, fraction?: Fraction): Injection;
  /** Returns the factor of the learning rate for a trained tensor. If missing, it is 1 for all. */
  rateOf?(parameter: TrainedParameter): number;
  readonly regularizer?: Regularizer;
  /** The number of values that its injection watches. Default: 0. */
  readonly watches?: number;
  /** Whether the watched values of a step are those of its last micro-batch. Default: their mean. */
  readonly watchesLast?: boolean;
  /**
   * The distances of factors from orthonormality, for methods with low-rank factors. `values` are in the tuner's
   * layout.
   */
  factorDistances?(values: Float32Array): FactorDistances;
  /**
   * Returns a reader of the model's parameters, with the trained values merged into them. Missing if a method adds its
   * own layers, because no parameter of the model can represent them.
   */
  merged?(values: Float32Array, readBase: ReadRange): ReadRange;
  /**
   * Packs values for batches in which each row has its own adapter. A text says why rows of one batch cannot have
   * different adapters of the method, as the predicate of a sentence about an adapter.
   */
  readonly bank?: ((values: Float32Array) => Banked) | string | undefined;
}

/**
 * How far each adapted module's factors are from orthonormality, by the module's path: ‖BᵀB - I‖² and ‖AAᵀ - I‖² in the
 * Frobenius norm. PEFT's B is the paper's P, its A the paper's Q.
 */
export type FactorDistances = Record<string, [ofB: number, ofA: number]>;

/** A term of the objective that depends only on the trained values. */
export interface Regularizer {
  /** The weight γ of the term. */
  readonly weight: number;
  /** Shapes of the tensors that it reads, adjacent from the start of the vector. No tensor spans two stacks. */
  readonly views: readonly (readonly number[])[];
  build(views: readonly Value[]): Value;
}

/** Trained values with their tuner, ready for prediction. */
export interface TunedValues {
  tuner: Tuner;
  values: Float32Array;
}

/** Number of trained values in the adapter itself, without the head, as the paper counts them. */
export function adapterParameters({ sites }: Pick<Tuner, 'sites'>): number {
  return sites.reduce((sum, { parameters }) => sum + parameters, 0);
}

/** A model without an adapter: nothing is trained, and its weights never pass through JavaScript. */
const untouched: Tuner = {
  layout: new ParameterLayout([]),
  sites: [],
  initialValues: () => new Float32Array(0),
  inject: () => ({}),
  merged: (_, readBase) => readBase,
};

/** Replaces an adapter if there is none. */
export const FROZEN: TunedValues = { tuner: untouched, values: new Float32Array(0) };
