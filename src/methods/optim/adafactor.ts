import {
  MomentOptimizer,
  type OptimizedTensor,
  type OptimizerSettings,
  totalLength,
} from './moment-optimizer.ts';

/** Added to squared gradients, so that they are not 0. */
const EPSILON = 1e-30;
/** The maximum root mean square of an update, before it is multiplied by the learning rate. */
const CLIP = 1;
/** At each step, the average of squares is multiplied by 1 - step^DECAY before the new squares are added. */
const DECAY = -0.8;

/**
 * Adafactor (Shazeer and Stern, ICML 2018) as in Hugging Face's trainer: with an external learning rate and without
 * first moments. A matrix's second moments are the product of a vector for its rows and a vector for its columns. The
 * state stores the product itself, because ranks may change during a run. So Adafactor saves no memory here.
 */
export class Adafactor extends MomentOptimizer {
  readonly #tensors: readonly OptimizedTensor[];
  readonly #weightDecay: number;

  constructor(tensors: readonly OptimizedTensor[], { weightDecay }: Pick<OptimizerSettings, 'weightDecay'>) {
    super(totalLength(tensors));
    this.#tensors = tensors;
    this.#weightDecay = weightDecay;
  }

  step(values: Float32Array, gradient: Float32Array, lr: number): void {
    const kept = 1 - (++this.current.step) ** DECAY;
    for (const { start, end, shape, rate, decays } of this.#tensors) {
      if (end === start) continue;
      const [parameters, slopes] = [values.subarray(start, end), gradient.subarray(start, end)];
      const moments = this.current.v.subarray(start, end);
      if (shape.length < 2) average(moments, slopes, kept);
      else averageOfMatrices(moments, slopes, kept, shape.at(-2) as number, shape.at(-1) as number);
      const update = Float64Array.from(slopes, (slope, i) => slope / Math.sqrt(moments[i]!));
      const size = Math.sqrt(update.reduce((sum, x) => sum + x * x, 0) / update.length);
      const step = (lr * rate) / Math.max(1, size / CLIP);
      const left = decays ? 1 - this.#weightDecay * lr * rate : 1;
      for (let i = 0; i < parameters.length; i++) parameters[i] = parameters[i]! * left - step * update[i]!;
    }
  }
}

function average(moments: Float32Array, gradient: Float32Array, kept: number): void {
  for (let i = 0; i < moments.length; i++)
    moments[i] = kept * moments[i]! + (1 - kept) * (gradient[i]! * gradient[i]! + EPSILON);
}

/**
 * Averages the second moments of matrices, then replaces them with the product of their row and column means, divided
 * by the mean of all elements.
 */
function averageOfMatrices(
  moments: Float32Array,
  gradient: Float32Array,
  kept: number,
  rows: number,
  columns: number,
): void {
  for (let at = 0; at < moments.length; at += rows * columns) {
    const ofRows = new Float64Array(rows);
    const ofColumns = new Float64Array(columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const k = at + i * columns + j;
        const square = kept * moments[k]! + (1 - kept) * (gradient[k]! * gradient[k]! + EPSILON);
        ofRows[i]! += square / columns;
        ofColumns[j]! += square / rows;
      }
    }
    const mean = ofRows.reduce((sum, x) => sum + x, 0) / rows;
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) moments[at + i * columns + j] = (ofRows[i]! * ofColumns[j]!) / mean;
  }
}
