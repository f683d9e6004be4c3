import { lengthOf, MomentOptimizer } from './moment-optimizer.ts';
import type { OptimizedTensor, OptimizerSettings } from './optimizer.ts';

/**
 * Lion with decoupled weight decay (Chen et al., 2023, arXiv 2302.06675, program 1). Each value moves by the learning
 * rate, in the direction of the sign of an average of gradients. The paper recommends a rate 3 to 10 times smaller than
 * AdamW's.
 */
export class Lion extends MomentOptimizer {
  readonly #tensors: readonly OptimizedTensor[];
  readonly #settings: OptimizerSettings;

  constructor(tensors: readonly OptimizedTensor[], settings: OptimizerSettings) {
    super(lengthOf(tensors));
    this.#tensors = tensors;
    this.#settings = settings;
  }

  step(values: Float32Array, gradient: Float32Array, lr: number): void {
    const [beta1, beta2] = this.#settings.betas;
    const { m } = this.current;
    this.current.step++;
    for (const { start, end, rate, decays } of this.#tensors) {
      const kept = decays ? 1 - lr * rate * this.#settings.weightDecay : 1;
      for (let i = start; i < end; i++) {
        const direction = Math.sign(
          Math.fround(Math.fround(beta1 * m[i]!) + Math.fround((1 - beta1) * gradient[i]!)),
        );
        values[i] = Math.fround(values[i]! * kept) - lr * rate * direction;
        m[i] = Math.fround(beta2 * m[i]!) + Math.fround((1 - beta2) * gradient[i]!);
      }
    }
  }
}
