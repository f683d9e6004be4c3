import type { Moments, OptimizedTensor, Optimizer, OptimizerState } from './optimizer.ts';

/** An optimizer with two 32-bit moments for every value. */
export abstract class MomentOptimizer implements Optimizer {
  protected current: Moments;

  constructor(length: number) {
    this.current = { m: new Float32Array(length), v: new Float32Array(length), step: 0 };
  }

  abstract step(values: Float32Array, gradient: Float32Array, lr: number): void;

  state(): OptimizerState {
    const { m, v, step } = this.current;
    return { step, vectors: { m, v } };
  }

  restore({ step, vectors: { m, v } }: OptimizerState): void {
    this.adopt({ m: m as Float32Array, v: v as Float32Array, step });
  }

  moments(): Moments {
    return this.current;
  }

  adopt(moments: Moments): void {
    const { length } = this.current.m;
    for (const vector of [moments.m, moments.v])
      if (vector.length !== length)
        throw new Error(`a vector of ${vector.length} for an optimizer of ${length}`);
    this.current = { ...moments };
  }
}

/** The length of the vector that the tensors fill. */
export function lengthOf(tensors: readonly Pick<OptimizedTensor, 'end'>[]): number {
  return tensors.at(-1)?.end ?? 0;
}

/** A range of a flat vector: `start` inclusive, `end` exclusive. */
export interface Segment {
  start: number;
  end: number;
}
