import { AdamW, type AdamWState, type Rate } from '../optim/adamw.ts';
import { clipByGlobalNorm } from '../optim/clip.ts';
import { type LrSchedulerType, learningRateFactor } from '../optim/schedule.ts';
import type { Segment } from '../optim/segment.ts';
import { gather } from '../support/gather.ts';
import type { AllocationEvent } from '../tuners/allocation-event.ts';
import type { MethodRun } from '../tuners/method-run.ts';
import type { ParameterLayout } from '../tuners/parameter-layout.ts';
import type { Tuner } from '../tuners/tuner.ts';

export interface UpdateSettings {
  learningRate: number;
  schedule: LrSchedulerType;
  warmupSteps: number;
  totalSteps: number;
  betas: [number, number];
  epsilon: number;
  weightDecay: number;
  /** Whether a tensor decays; by default all except biases and norms, as in Hugging Face's trainer. */
  decays?: (name: string) => boolean;
  /** 0: no clipping. */
  maxGradNorm: number;
}

export interface Update {
  learningRate: number;
  /** Before clipping. If it is not finite, the step was skipped. */
  gradNorm: number;
  skipped: boolean;
  allocation?: AllocationEvent;
  /** Whether the vector, and so the graph, has changed its layout. */
  relaidOut: boolean;
}

/** The effect of one optimizer step on the trained values: clipping, AdamW, and the method's own part. */
export class Updater {
  readonly #settings: UpdateSettings;
  readonly #method: MethodRun;
  #optimizer: AdamW;
  /** Trained values, in the layout of `method.tuner`. */
  values: Float32Array;
  /** Steps taken, skipped ones included. */
  step = 0;

  constructor(method: MethodRun, values: Float32Array, settings: UpdateSettings) {
    this.#method = method;
    this.#settings = settings;
    this.values = values;
    this.#optimizer = this.#newOptimizer();
  }

  /** Applies the accumulated gradient of one step; clipping changes it in place. */
  apply(gradient: Float32Array): Update {
    const { learningRate: base, schedule, warmupSteps, totalSteps, maxGradNorm } = this.#settings;
    const learningRate = base * learningRateFactor(schedule, this.step, warmupSteps, totalSteps);
    const step = ++this.step;
    const gradNorm = clipByGlobalNorm(gradient, maxGradNorm);
    // A single non-finite value would stay in the moments and in the averages of importance.
    if (!Number.isFinite(gradNorm)) return { learningRate, gradNorm, skipped: true, relaidOut: false };
    this.#method.tuner.precondition?.(gradient);
    this.#method.beforeStep?.(step, this.values, gradient);
    this.#optimizer.step(this.values, gradient, learningRate);
    const after = this.#method.afterStep?.(step, this.values, gradient);
    if (after?.renewed) this.#optimizer.forget(after.renewed);
    if (after?.relayout) this.#relayout(after.relayout.indices);
    const relaidOut = after?.relayout !== undefined;
    return { learningRate, gradNorm, skipped: false, allocation: after?.allocation, relaidOut };
  }

  /** The optimizer's state itself, not a copy. */
  optimizerState(): AdamWState {
    return this.#optimizer.state();
  }

  /** Continues at `step`; `method` must have been restored before, because it determines the layout. */
  restore(step: number, values: Float32Array, optimizer: AdamWState): void {
    this.step = step;
    this.values = values;
    this.#optimizer = this.#newOptimizer();
    this.#optimizer.restore(optimizer);
  }

  #relayout(indices: Int32Array): void {
    const { m, v, step } = this.#optimizer.state();
    const moved = { m: gather(m, indices), v: gather(v, indices), step };
    this.restore(this.step, gather(this.values, indices), moved);
  }

  #newOptimizer(): AdamW {
    const { betas, epsilon, weightDecay, decays = decaysByDefault } = this.#settings;
    const { tuner } = this.#method;
    const { layout } = tuner;
    const decay = decayRanges(layout, decays);
    return new AdamW(layout.length, { betas, eps: epsilon, weightDecay, decay, rates: rates(tuner) });
  }
}

function decaysByDefault(name: string): boolean {
  return !/(\.bias|norm\.weight)$/i.test(name);
}

function decayRanges({ segments }: ParameterLayout, decays: (name: string) => boolean): Segment[] {
  return segments.filter(({ name, start, end }) => end > start && decays(name));
}

/** Ranges with equal learning rate factors; undefined if all are 1. */
function rates(tuner: Tuner): Rate[] | undefined {
  const ranges: Rate[] = [];
  for (const { start, end, ...parameter } of tuner.layout.segments) {
    const factor = tuner.rateOf?.(parameter) ?? 1;
    const last = ranges.at(-1);
    if (last?.factor === factor) last.end = end;
    else ranges.push({ start, end, factor });
  }
  return ranges.every(({ factor }) => factor === 1) ? undefined : ranges;
}
