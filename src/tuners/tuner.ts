import type { Value } from '../graph/graph.ts';
import type { HeadKind } from '../models/heads/registry.ts';
import type { CommonConfig, Head, ModelDefinition } from '../models/model-definition.ts';
import type { Injection, LinearModule, Sublayer } from '../nn/network.ts';
import type { Banked } from './banked.ts';
import type { ParameterLayout } from './parameter-layout.ts';

/** A model as a tuner sees it. */
export interface TunableModel {
  definition: ModelDefinition;
  config: CommonConfig;
  headKind: HeadKind;
  head: Head;
  linears: readonly LinearModule[];
  /** Where adapters may stand, in the order in which the model builds them. */
  sublayers: readonly Sublayer[];
  /** Shape of every parameter by Hugging Face name. */
  parameters: ReadonlyMap<string, readonly number[]>;
  /** Shape of every tensor that no method trains. */
  buffers: ReadonlyMap<string, readonly number[]>;
}

/** Reads a parameter of the checkpoint, or initialises one that it lacks. */
export type ReadParameter = (name: string, shape: readonly number[]) => Float32Array;

/** Elements [start, end) of a parameter, row-major, in memory of its own. */
export type ReadRange = (name: string, start: number, end: number) => Float32Array;

/** A module of the network that a method stands in or behind. */
export interface TunedSite {
  /** Hugging Face's path. */
  path: string;
  /** Trained numbers there, as the paper counts them: AdaLoRA's without λ. */
  parameters: number;
}

/** A method of fine-tuning: which values it trains, and what it adds to the model's graph. */
export interface Tuner {
  readonly layout: ParameterLayout;
  /** Where it stands in the network; nowhere where it trains the whole model. */
  readonly sites: readonly TunedSite[];
  /** The vector before the first step. */
  initialValues(seed: number, read: ReadParameter): Float32Array;
  /**
   * Puts the method into a network; `flat` is the vector's value, `dropout` is that of the network.
   *
   * @param layout of the same tensors, by default the tuner's, which may stack them otherwise
   */
  inject(flat: Value, dropout: (x: Value, probability: number) => Value, layout?: ParameterLayout): Injection;
  readonly regularizer?: Regularizer;
  /** For methods with factors that should be orthonormal, or might be; any values in the tuner's layout. */
  factorDistances?(values: Float32Array): FactorDistances;
  /**
   * Reads the model's parameters with the trained values merged into them, any range at a time. Missing where a method adds
   * layers of its own, which no parameter of the model can hold.
   */
  merged?(values: Float32Array, readBase: ReadRange): ReadRange;
  /** What a bank of adapters takes. Missing if rows of one batch cannot have different adapters of the method. */
  banked?(values: Float32Array): Banked;
}

/**
 * How far the factors of each adapted module are from orthonormal: ‖BᵀB - I‖² and ‖AAᵀ - I‖² in Frobenius' norm, by the
 * module's path. PEFT's B is the paper's P, its A the paper's Q.
 */
export type FactorDistances = Record<string, [ofB: number, ofA: number]>;

/** A term of the objective that depends on the trained values alone. */
export interface Regularizer {
  /** γ */
  readonly weight: number;
  /** Shapes of the tensors it takes, which follow one another from the start of the vector. None is in two stacks. */
  readonly views: readonly (readonly number[])[];
  build(views: readonly Value[]): Value;
}

/** Trained values with what makes a model of them: ready for prediction. */
export interface TunedValues {
  tuner: Tuner;
  values: Float32Array;
}

/** Trained numbers in the adapter itself, as the paper counts them; the head is none of them. */
export function adapterParameters({ sites }: Pick<Tuner, 'sites'>): number {
  return sites.reduce((sum, { parameters }) => sum + parameters, 0);
}
