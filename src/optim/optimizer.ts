import { Adafactor } from './adafactor.ts';
import { AdamW8bit } from './adamw-8bit.ts';
import { adamWOf } from './adamw-of.ts';
import { Lion } from './lion.ts';
import { Muon } from './muon.ts';
import type { Segment } from './segment.ts';

/** The moments of all values in 32 bits. */
export interface Moments {
  /** First moments; zeros for an optimizer without them. */
  m: Float32Array;
  /** Second moments; zeros for an optimizer without them. */
  v: Float32Array;
  /** Steps taken. */
  step: number;
}

/** The state in a checkpoint. */
export interface OptimizerState {
  /** Steps taken. */
  step: number;
  /** By name: `m` and `v`, as long as the values, unless the optimizer keeps them in another form. */
  vectors: Readonly<Record<string, Float32Array | Uint8Array>>;
}

/** Changes trained values by their gradient. */
export interface Optimizer {
  /** One step, in place on `values`. */
  step(values: Float32Array, gradient: Float32Array, lr: number): void;
  /** The state itself, not a copy: the next step changes it. */
  state(): OptimizerState;
  /**
   * Takes over a state; its arrays are used, not copied.
   *
   * @throws Error if it belongs to other tensors
   */
  restore(state: OptimizerState): void;
  /** The moments in 32 bits, for a change of the vector's layout. */
  moments(): Moments;
  adopt(moments: Moments): void;
  /** Resets the first moments of some values. */
  forget(indices: readonly number[]): void;
}

/** A trained tensor in the flat vector. */
export interface OptimizedTensor extends Segment {
  shape: readonly number[];
  /** Factor of the learning rate. */
  rate: number;
  /** Whether weight decay reaches it. */
  decays: boolean;
}

/** The settings that optimizers share. */
export interface OptimizerSettings {
  betas: [number, number];
  eps: number;
  weightDecay: number;
}

/** The optimizers, by the names of `optim` in Hugging Face's `TrainingArguments`. A new one is one entry. */
const OPTIMIZERS = {
  adamw_torch: (tensors: readonly OptimizedTensor[], settings: OptimizerSettings): Optimizer =>
    adamWOf(tensors, settings),
  adafactor: (tensors: readonly OptimizedTensor[], settings: OptimizerSettings): Optimizer =>
    new Adafactor(tensors, settings),
  adamw_bnb_8bit: (tensors: readonly OptimizedTensor[], settings: OptimizerSettings): Optimizer =>
    new AdamW8bit(tensors, settings),
  muon: (tensors: readonly OptimizedTensor[], settings: OptimizerSettings): Optimizer =>
    new Muon(tensors, settings),
  lion_32bit: (tensors: readonly OptimizedTensor[], settings: OptimizerSettings): Optimizer =>
    new Lion(tensors, settings),
};

export type OptimizerName = keyof typeof OPTIMIZERS;
export const DEFAULT_OPTIMIZER: OptimizerName = 'adamw_torch';
export const OPTIMIZER_NAMES = Object.keys(OPTIMIZERS) as [OptimizerName, ...OptimizerName[]];

/** @param tensors disjoint and in order; together they are the vector */
export function makeOptimizer(
  name: OptimizerName,
  tensors: readonly OptimizedTensor[],
  settings: OptimizerSettings,
): Optimizer {
  return OPTIMIZERS[name](tensors, settings);
}

/** Bytes of the state that an optimizer keeps for these tensors. */
export function optimizerBytes(
  name: OptimizerName,
  tensors: readonly Pick<OptimizedTensor, 'start' | 'end'>[],
): number {
  return tensors.reduce(
    (sum, { start, end }) =>
      sum + (name === 'adamw_bnb_8bit' ? AdamW8bit.bytes(end - start) : 8 * (end - start)),
    0,
  );
}
