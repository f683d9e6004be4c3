import type { Value } from '../graph/graph.ts';
import type { CommonConfig, Head, HeadKind, ModelDefinition } from '../models/model-definition.ts';
import type { Injection, LinearModule } from '../nn/network.ts';
import type { ParameterLayout } from './parameter-layout.ts';

/** A model as a tuner sees it. */
export interface TunableModel {
  definition: ModelDefinition;
  config: CommonConfig;
  headKind: HeadKind;
  head: Head;
  linears: readonly LinearModule[];
  /** Shape of every parameter by Hugging Face name. */
  parameters: ReadonlyMap<string, readonly number[]>;
  /** Shape of every tensor that no method trains. */
  buffers: ReadonlyMap<string, readonly number[]>;
}

/** Reads a parameter of the checkpoint, or initialises one that it lacks. */
export type ReadParameter = (name: string, shape: readonly number[]) => Float32Array;

/** A method of fine-tuning: which values it trains, and what it adds to the model's graph. */
export interface Tuner {
  readonly layout: ParameterLayout;
  /** The adapted modules with their ranks; none for methods without. */
  readonly modules: readonly LowRankModule[];
  /** The vector before the first step. */
  initialValues(seed: number, read: ReadParameter): Float32Array;
  /** Puts the method into a network; `flat` is the vector's value, `dropout` is that of the network. */
  inject(flat: Value, dropout: (x: Value, probability: number) => Value): Injection;
  readonly regularizer?: Regularizer;
}

/** A term of the objective that depends on the trained values alone. */
export interface Regularizer {
  /** γ */
  readonly weight: number;
  /** Shapes of the tensors it takes, which follow one another from the start of the vector. */
  readonly views: readonly (readonly number[])[];
  build(views: readonly Value[]): Value;
}

/** An adapted linear layer: y += scale · x Aᵀ [diag(E)] Bᵀ with A [rank, in], E [rank], B [out, rank]. */
export interface LowRankModule extends LinearModule {
  rank: number;
  scale: number;
}
