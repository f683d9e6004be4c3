import { Adafactor } from './adafactor.ts';
import { AdamW } from './adamw.ts';
import { Lion } from './lion.ts';
import type { Segment } from './segment.ts';

/** The state in a checkpoint: two vectors as long as the values, and a count. Every optimizer has this form. */
export interface OptimizerState {
  /** First moments; zeros for an optimizer without them. */
  m: Float32Array;
  /** Second moments; zeros for an optimizer without them. */
  v: Float32Array;
  /** Steps taken. */
  step: number;
}

/** Changes trained values by their gradient. */
export interface Optimizer {
  /** One step, in place on `values`. */
  step(values: Float32Array, gradient: Float32Array, lr: number): void;
  /** The state itself, not a copy: the next step changes it. */
  state(): OptimizerState;
  /** Takes over a state of the same length; its arrays are used, not copied. */
  restore(state: OptimizerState): void;
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
    new AdamW(lengthOf(tensors), { ...settings, decay: decaying(tensors), rates: rates(tensors) }),
  adafactor: (tensors: readonly OptimizedTensor[], settings: OptimizerSettings): Optimizer =>
    new Adafactor(tensors, settings),
  lion_32bit: (tensors: readonly OptimizedTensor[], settings: OptimizerSettings): Optimizer =>
    new Lion(tensors, settings),
};

export type OptimizerName = keyof typeof OPTIMIZERS;
export const OPTIMIZER_NAMES = Object.keys(OPTIMIZERS) as [OptimizerName, ...OptimizerName[]];

/** @param tensors disjoint and in order; together they are the vector */
export function makeOptimizer(
  name: OptimizerName,
  tensors: readonly OptimizedTensor[],
  settings: OptimizerSettings,
): Optimizer {
  return OPTIMIZERS[name](tensors, settings);
}

function lengthOf(tensors: readonly OptimizedTensor[]): number {
  return tensors.at(-1)?.end ?? 0;
}

function decaying(tensors: readonly OptimizedTensor[]): Segment[] {
  return tensors.filter(({ start, end, decays }) => end > start && decays);
}

/** Ranges of equal rates; undefined if all are 1. */
function rates(tensors: readonly OptimizedTensor[]) {
  const ranges: (Segment & { factor: number })[] = [];
  for (const { start, end, rate: factor } of tensors) {
    const last = ranges.at(-1);
    if (last?.factor === factor) last.end = end;
    else ranges.push({ start, end, factor });
  }
  return ranges.every(({ factor }) => factor === 1) ? undefined : ranges;
}
