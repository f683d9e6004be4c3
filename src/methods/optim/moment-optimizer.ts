/** The moments of all values in float32. */
export interface Moments {
  /** First moments, or zeros if the optimizer has none. */
  m: Float32Array;
  /** Second moments, or zeros if the optimizer has none. */
  v: Float32Array;
  /** Number of steps taken. */
  step: number;
}

/** The optimizer's state in a checkpoint. */
export interface OptimizerState {
  /** Number of steps taken. */
  step: number;
  /** By name. Most optimizers have `m` and `v`, as long as the values; some store them in another form. */
  vectors: Readonly<Record<string, Float32Array | Uint8Array>>;
}

/** Updates trained values with their gradient. */
export interface Optimizer {
  /** Takes one step. Changes `values` in place. */
  step(values: Float32Array, gradient: Float32Array, lr: number): void;
  /** Returns the state itself, not a copy. The next step changes it. */
  state(): OptimizerState;
  /**
   * Replaces the state. Its arrays are used, not copied.
   *
   * @throws Error if the state belongs to other tensors
   */
  restore(state: OptimizerState): void;
  /** Returns the moments in float32, for a change of the vector's layout. */
  moments(): Moments;
  adopt(moments: Moments): void;
}

/** A trained tensor in the flat vector. */
export interface OptimizedTensor extends Segment {
  shape: readonly number[];
  /** Factor of the learning rate. */
  rate: number;
  /** Whether the tensor has weight decay. */
  decays: boolean;
}

export interface OptimizerSettings {
  betas: [number, number];
  eps: number;
  weightDecay: number;
}

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
export function totalLength(tensors: readonly Pick<OptimizedTensor, 'end'>[]): number {
  return tensors.at(-1)?.end ?? 0;
}

/** A range of a flat vector: `start` inclusive, `end` exclusive. */
export interface Segment {
  start: number;
  end: number;
}
