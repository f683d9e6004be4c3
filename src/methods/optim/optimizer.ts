import { Adafactor } from './adafactor.ts';
import { createAdamW } from './adamw.ts';
import { AdamW8bit } from './adamw-8bit.ts';
import {
  MomentOptimizer,
  type OptimizedTensor,
  type Optimizer,
  type OptimizerSettings,
  totalLength,
} from './moment-optimizer.ts';
import { Muon } from './muon.ts';

/**
 * Lion with decoupled weight decay (Chen et al., 2023, arXiv 2302.06675, program 1). Each value moves by the learning
 * rate, in the direction of the sign of an average of gradients. The paper recommends a rate 3 to 10 times smaller than
 * AdamW's.
 */
export class Lion extends MomentOptimizer {
  readonly #tensors: readonly OptimizedTensor[];
  readonly #settings: OptimizerSettings;

  constructor(tensors: readonly OptimizedTensor[], settings: OptimizerSettings) {
    super(totalLength(tensors));
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

/**
 * The optimizers, by their `optim` names in Hugging Face's `TrainingArguments`, except Muon, which it lacks. To add one,
 * add an entry.
 */
const OPTIMIZERS = {
  adamw_torch: createAdamW,
  adafactor: (tensors, settings) => new Adafactor(tensors, settings),
  adamw_bnb_8bit: (tensors, settings) => new AdamW8bit(tensors, settings),
  muon: (tensors, settings) => new Muon(tensors, settings),
  lion_32bit: (tensors, settings) => new Lion(tensors, settings),
} satisfies Record<string, (tensors: readonly OptimizedTensor[], settings: OptimizerSettings) => Optimizer>;

export type OptimizerName = keyof typeof OPTIMIZERS;
export const DEFAULT_OPTIMIZER: OptimizerName = 'adamw_torch';
export const OPTIMIZER_NAMES = Object.keys(OPTIMIZERS) as [OptimizerName, ...OptimizerName[]];

/**
 * Creates the optimizer with this name.
 *
 * @param tensors disjoint and in order; together they fill the vector
 */
export function makeOptimizer(
  name: OptimizerName,
  tensors: readonly OptimizedTensor[],
  settings: OptimizerSettings,
): Optimizer {
  return OPTIMIZERS[name](tensors, settings);
}

/** The size in bytes of the state that an optimizer keeps for these tensors. */
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
