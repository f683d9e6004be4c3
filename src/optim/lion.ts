import type { OptimizedTensor, Optimizer, OptimizerSettings, OptimizerState } from './optimizer.ts';

/**
 * Lion with decoupled weight decay (Chen et al., 2023, arXiv 2302.06675, program 1): each value moves by the learning rate, in the
 * direction of the sign of an average. The paper recommends a rate 3 to 10 times smaller than AdamW's.
 */
export class Lion implements Optimizer {
  readonly #tensors: readonly OptimizedTensor[];
  readonly #settings: OptimizerSettings;
  #state: OptimizerState;

  constructor(tensors: readonly OptimizedTensor[], settings: OptimizerSettings) {
    this.#tensors = tensors;
    this.#settings = settings;
    const length = tensors.at(-1)?.end ?? 0;
    this.#state = { m: new Float32Array(length), v: new Float32Array(length), step: 0 };
  }

  step(values: Float32Array, gradient: Float32Array, lr: number): void {
    const [beta1, beta2] = this.#settings.betas;
    const { m } = this.#state;
    this.#state.step++;
    for (const { start, end, rate, decays } of this.#tensors) {
      const kept = decays ? 1 - lr * rate * this.#settings.weightDecay : 1;
      for (let i = start; i < end; i++) {
        const direction = Math.sign(
          Math.fround(Math.fround(beta1 * m[i]) + Math.fround((1 - beta1) * gradient[i])),
        );
        values[i] = Math.fround(values[i] * kept) - lr * rate * direction;
        m[i] = Math.fround(beta2 * m[i]) + Math.fround((1 - beta2) * gradient[i]);
      }
    }
  }

  state(): OptimizerState {
    return this.#state;
  }

  restore(state: OptimizerState): void {
    this.#state = { ...state };
  }

  forget(indices: readonly number[]): void {
    for (const index of indices) this.#state.m[index] = 0;
  }
}
