import {
  addExpressions,
  divideExpressions,
  multiplyExpressions,
  root,
  subtractExpressions,
  VectorLoop,
} from '../../engine/vectors/vector-loop.ts';
import { lazy } from '../../support/options.ts';

/** The moments of all values in float32. */
export interface Moments {
  m: Float32Array;
  v: Float32Array;
  /** Number of steps taken. */
  step: number;
}

/** A range of a flat vector: `start` inclusive, `end` exclusive. */
export interface Segment {
  start: number;
  end: number;
}

/** A trained tensor in the flat vector. */
interface OptimizedTensor extends Segment {
  /** Factor of the learning rate. */
  rate: number;
  /** Whether the tensor has weight decay. */
  decays: boolean;
}

export interface AdamWOptions {
  betas?: [number, number];
  eps?: number;
  weightDecay?: number;
  /**
   * The ranges with weight decay, in order and disjoint. All other values (biases, norms) do not decay. Default: no
   * range.
   */
  decay?: readonly Segment[];
  /** Factors of the learning rate, by range. The ranges must cover the vector. Default: 1 everywhere. */
  rates?: readonly Rate[];
}

interface Rate extends Segment {
  factor: number;
}

/**
 * AdamW with decoupled weight decay (Loshchilov and Hutter, ICLR 2019). Equal to `torch.optim.AdamW` up to float32
 * rounding.
 */
export class AdamW {
  /** The state itself, not a copy. The next step changes it. */
  moments: Moments;
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #eps: number;
  readonly #weightDecay: number;
  readonly #decay: readonly Segment[];
  readonly #rates: readonly Rate[];

  constructor(
    length: number,
    { betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, decay = [], rates }: AdamWOptions = {},
  ) {
    this.moments = { m: new Float32Array(length), v: new Float32Array(length), step: 0 };
    this.#rates = rates ?? [{ start: 0, end: length, factor: 1 }];
    [this.#beta1, this.#beta2] = betas;
    this.#eps = eps;
    this.#weightDecay = weightDecay;
    this.#decay = decay;
    decay.forEach(({ start, end }, i) => {
      const from = i > 0 ? decay[i - 1]!.end : 0;
      if (start < from || end < start || end > length)
        throw new Error('AdamW: decay ranges overlap or lie outside');
    });
  }

  /** Takes one step. Changes `values` in place. */
  step(values: Float32Array, gradient: Float32Array, lr: number): void {
    this.#check(values.length, gradient.length);
    this.moments.step++;
    for (const { factor, ...range } of this.#rates) {
      const kept = 1 - lr * factor * this.#weightDecay;
      if (kept !== 1) this.#shrink(values, kept, range);
      this.#update(values, gradient, lr * factor, range);
    }
  }

  /** Multiplies the decaying values in a range by `kept`. */
  #shrink(values: Float32Array, kept: number, range: Segment): void {
    for (const { start, end } of this.#decay) {
      const to = Math.min(end, range.end);
      for (let i = Math.max(start, range.start); i < to; i++) values[i]! *= kept;
    }
  }

  #update(values: Float32Array, gradient: Float32Array, lr: number, { start, end }: Segment): void {
    const beta1 = this.#beta1;
    const beta2 = this.#beta2;
    const { m, v, step } = this.moments;
    const inverseRoot = 1 / Math.sqrt(1 - beta2 ** step);
    UPDATE().run(
      {
        values: values.subarray(start, end),
        gradient: gradient.subarray(start, end),
        m: m.subarray(start, end),
        v: v.subarray(start, end),
      },
      {
        beta1,
        rest1: 1 - beta1,
        beta2,
        rest2: 1 - beta2,
        inverseRoot,
        eps: this.#eps,
        stepSize: lr / (1 - beta1 ** step),
      },
    );
  }

  /**
   * Continues with these moments. Its arrays are used, not copied.
   *
   * @throws Error if they belong to other tensors
   */
  adopt(moments: Moments): void {
    this.#check(moments.m.length, moments.v.length);
    this.moments = { ...moments };
  }

  #check(...lengths: number[]): void {
    const { length: expected } = this.moments.m;
    const wrong = lengths.find((length) => length !== expected);
    if (wrong !== undefined) throw new Error(`AdamW: got ${wrong} values, expected ${expected}`);
  }
}

/** m ← β1 m + (1-β1) g,  v ← β2 v + (1-β2) g²,  w ← w - α m / (√v ρ + ε), with both bias corrections in α and ρ. */
const UPDATE = lazy(
  () =>
    new VectorLoop(
      ['values', 'gradient', 'm', 'v'],
      ['beta1', 'rest1', 'beta2', 'rest2', 'stepSize', 'inverseRoot', 'eps'],
      ({ values, gradient, m, v, beta1, rest1, beta2, rest2, stepSize, inverseRoot, eps }) => {
        const mean = addExpressions(multiplyExpressions(beta1, m), multiplyExpressions(rest1, gradient));
        const square = addExpressions(
          multiplyExpressions(beta2, v),
          multiplyExpressions(multiplyExpressions(rest2, gradient), gradient),
        );
        const divisor = addExpressions(multiplyExpressions(root(square), inverseRoot), eps);
        return {
          m: mean,
          v: square,
          values: subtractExpressions(
            values,
            divideExpressions(multiplyExpressions(stepSize, mean), divisor),
          ),
        };
      },
    ),
);

/**
 * AdamW for the tensors of one vector.
 *
 * @param tensors disjoint and in order; together they fill the vector
 */
export function createAdamW(
  tensors: readonly OptimizedTensor[],
  settings: Pick<AdamWOptions, 'betas' | 'eps' | 'weightDecay'>,
): AdamW {
  const decay = tensors.filter(({ start, end, decays }) => end > start && decays);
  return new AdamW(tensors.at(-1)?.end ?? 0, { ...settings, decay, rates: listRates(tensors) });
}

/** Ranges of equal learning rates; undefined if all factors are 1. */
function listRates(tensors: readonly OptimizedTensor[]) {
  const ranges: (Segment & { factor: number })[] = [];
  for (const { start, end, rate: factor } of tensors) {
    const last = ranges.at(-1);
    if (last?.factor === factor) last.end = end;
    else ranges.push({ start, end, factor });
  }
  return ranges.every(({ factor }) => factor === 1) ? undefined : ranges;
}
