import { type AdamW, createAdamW } from './adamw.ts';
import type {
  Moments,
  OptimizedTensor,
  Optimizer,
  OptimizerSettings,
  OptimizerState,
} from './moment-optimizer.ts';

/** Muon's β: the decay of the mean of gradients. */
const MOMENTUM = 0.95;
const STEPS = 5;
/** Coefficients of the iteration. They quickly move singular values to between 0.7 and 1.2. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const EPSILON = 1e-7;

/**
 * Muon (Jordan et al., 2024) for matrices, and AdamW for everything else. A matrix moves by its mean gradient, with all
 * singular values near 1. Equal to `torch.optim.Muon` with `adjust_lr_fn="match_rms_adamw"` (Liu et al., 2025, arXiv
 * 2502.16982), so a learning rate for AdamW suits both parts. PyTorch iterates in bfloat16. Second moments are kept for
 * all values, because a matrix may lose its second column when ranks change.
 */
export class Muon implements Optimizer {
  readonly #adamW: AdamW;
  readonly #matrices: readonly OptimizedTensor[];
  readonly #settings: OptimizerSettings;

  constructor(tensors: readonly OptimizedTensor[], settings: OptimizerSettings) {
    this.#matrices = tensors.filter(isMatrix);
    this.#settings = settings;
    // With a rate of 0, AdamW keeps the moments of matrices and does not move them.
    const others = tensors.map((tensor) => (isMatrix(tensor) ? { ...tensor, rate: 0 } : tensor));
    this.#adamW = createAdamW(others, settings);
  }

  step(values: Float32Array, gradient: Float32Array, lr: number): void {
    const { m } = this.#adamW.moments();
    const means = this.#matrices.map(({ start, end }) => m.slice(start, end));
    this.#adamW.step(values, gradient, lr);
    this.#matrices.forEach(({ start, end, shape, rate, decays }, i) => {
      const [rows, columns] = shape as [number, number];
      const mean = means[i]!;
      const update = new Float32Array(end - start);
      for (let k = 0; k < mean.length; k++) {
        const slope = gradient[start + k]!;
        mean[k]! += (1 - MOMENTUM) * (slope - mean[k]!);
        update[k] = slope + MOMENTUM * (mean[k]! - slope);
      }
      m.set(mean, start);
      const direction = orthogonalized(update, rows, columns);
      const kept = decays ? 1 - lr * rate * this.#settings.weightDecay : 1;
      const size = 0.2 * Math.sqrt(Math.max(rows, columns)) * lr * rate;
      for (let k = 0; k < direction.length; k++)
        values[start + k] = Math.fround(values[start + k]! * kept) - size * direction[k]!;
    });
  }

  state(): OptimizerState {
    return this.#adamW.state();
  }

  restore(state: OptimizerState): void {
    this.#adamW.restore(state);
  }

  moments(): Moments {
    return this.#adamW.moments();
  }

  adopt(moments: Moments): void {
    this.#adamW.adopt(moments);
  }
}

function isMatrix({ shape }: OptimizedTensor): boolean {
  return shape.length === 2 && shape.every((size) => size > 1);
}

/**
 * Returns a matrix with the singular vectors of `x` [rows, columns] and singular values near 1 (Newton-Schulz
 * iteration).
 */
function orthogonalized(x: Float32Array, rows: number, columns: number): Float32Array {
  if (rows > columns)
    return transposed(orthogonalized(transposed(x, rows, columns), columns, rows), columns, rows);
  const norm = Math.max(EPSILON, Math.sqrt(x.reduce((sum, value) => sum + value * value, 0)));
  let current: Float32Array = x.map((value) => value / norm);
  for (let step = 0; step < STEPS; step++) {
    const gram = timesTransposed(current, rows, columns);
    const square = timesTransposed(gram, rows, rows);
    const polynomial = gram.map((value, i) => B * value + C * square[i]!);
    const moved = times(polynomial, current, rows, columns);
    current = current.map((value, i) => A * value + moved[i]!);
  }
  return current;
}

/** x xᵀ for x [rows, columns]. */
function timesTransposed(x: Float32Array, rows: number, columns: number): Float32Array {
  const product = new Float32Array(rows * rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += x[i * columns + k]! * x[j * columns + k]!;
      product[i * rows + j] = product[j * rows + i] = sum;
    }
  return product;
}

/** p x for p [rows, rows] and x [rows, columns]. */
function times(p: Float32Array, x: Float32Array, rows: number, columns: number): Float32Array {
  const product = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < rows; k++) {
      const factor = p[i * rows + k]!;
      for (let j = 0; j < columns; j++) product[i * columns + j]! += factor * x[k * columns + j]!;
    }
  return product;
}

function transposed(x: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(x.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = x[i * columns + j]!;
  return result;
}
