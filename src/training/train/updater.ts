import { type AdamW, createAdamW, type Moments } from '../../methods/optim/adamw.ts';
import { clipByGlobalNorm } from '../../methods/optim/gradient.ts';
import {
  type LrSchedulerType,
  learningRateFactor,
  type ScheduleOptions,
} from '../../methods/optim/schedule.ts';
import type {
  AllocationEvent,
  ComponentImportance,
  MethodRun,
  Relayout,
} from '../../methods/tuners/method-run.ts';
import type { TrainedParameter } from '../../methods/tuners/parameter-layout.ts';
import { gatherValues } from '../../support/numbers.ts';
import { UserError } from '../../support/user-error.ts';
import type { TrainerState } from '../run/checkpoint.ts';

/** Training ends after this many steps in a row without a finite gradient, because nothing would change any more. */
const MAX_IN_A_ROW = 10;

const HINT =
  'Lower training.learning_rate, set training.max_grad_norm to 1, or look for damaged rows in the data.';

/** Counts the steps that changed nothing because their gradient was not finite. */
export class SkippedSteps {
  state: TrainerState['skipped'] = { total: 0, inARow: 0 };

  note(isSkipped: boolean): void {
    const { total, inARow } = this.state;
    this.state = isSkipped ? { total: total + 1, inARow: inARow + 1 } : { total, inARow: 0 };
  }

  /**
   * @throws UserError if too many steps in a row were skipped
   */
  assertFew(step: number): void {
    if (this.state.inARow < MAX_IN_A_ROW) return;
    throw new UserError({
      where: `step ${step}`,
      fault: `has no finite gradient, like the ${MAX_IN_A_ROW - 1} steps before`,
      hint: HINT,
    });
  }
}

/**
 * Checks the result of a run.
 *
 * @param metrics of the final evaluation
 * @throws UserError if a trained value or the loss is not finite
 */
export function assertFinite(step: number, values: Float32Array, metrics: Record<string, number>): void {
  const isLost = metrics.eval_loss !== undefined && !Number.isFinite(metrics.eval_loss);
  if (!isLost && values.every(Number.isFinite)) return;
  throw new UserError({
    where: `step ${step}`,
    fault: isLost ? 'has a loss that is not finite' : 'has trained values that are not finite',
    hint: HINT,
  });
}

export interface UpdateSettings {
  learningRate: number;
  schedule: LrSchedulerType;
  scheduleOptions?: ScheduleOptions;
  warmupSteps: number;
  totalSteps: number;
  betas: [number, number];
  epsilon: number;
  weightDecay: number;
  /** Whether a tensor has weight decay. By default, all except biases and norms do, as in Hugging Face's trainer. */
  decays?: (parameter: TrainedParameter) => boolean;
  /** 0: no clipping. */
  maxGradNorm: number;
}

interface Update {
  learningRate: number;
  /** The gradient's norm before clipping. If it is not finite, the step was skipped. */
  gradNorm: number;
  skipped: boolean;
  allocation?: AllocationEvent;
  importance?: readonly ComponentImportance[];
  /** Whether the layout of the vector has changed, and so the graph. */
  relaidOut: boolean;
}

/** Applies optimizer steps to the trained values: clipping, the optimizer, and the method's own updates. */
export class Updater {
  readonly #settings: UpdateSettings;
  readonly #method: MethodRun;
  #optimizer: AdamW;
  /** Trained values, in the layout of `method.tuner`. */
  values: Float32Array;
  /** Number of steps taken, skipped ones included. */
  step = 0;
  /** The learning rate that the schedule scales. */
  learningRate: number;

  constructor(method: MethodRun, values: Float32Array, settings: UpdateSettings) {
    this.#method = method;
    this.#settings = settings;
    this.values = values;
    this.learningRate = settings.learningRate;
    this.#optimizer = this.#newOptimizer();
  }

  get isRateReplaced(): boolean {
    return this.learningRate !== this.#settings.learningRate;
  }

  /**
   * Applies the accumulated gradient of one step. Clipping changes it in place. The gradient is followed by the values
   * that the tuner watches.
   */
  apply(accumulated: Float32Array): Update {
    const gradient = accumulated.subarray(0, this.values.length);
    const learningRate = this.learningRate * this.#factor(this.step);
    const step = ++this.step;
    const gradNorm = clipByGlobalNorm(gradient, this.#settings.maxGradNorm);
    // A single non-finite value would stay in the moments and in the averages of importance.
    if (!Number.isFinite(gradNorm)) return { learningRate, gradNorm, skipped: true, relaidOut: false };
    this.#method.beforeStep?.(step, this.values, gradient, accumulated.subarray(gradient.length));
    this.#optimizer.step(this.values, gradient, learningRate);
    const after = this.#method.afterStep?.(step, this.values, gradient);
    if (after?.relayout) {
      this.#relayout(after.relayout);
      after.relayout.begin?.(this.values);
    }
    const relaidOut = after?.relayout !== undefined;
    const { allocation, importance } = after ?? {};
    return { learningRate, gradNorm, skipped: false, allocation, importance, relaidOut };
  }

  /** The optimizer's moments of all values themselves, not a copy. */
  moments(): Moments {
    return this.#optimizer.moments;
  }

  /** Continues at `step`. Restore `method` before, because it determines the layout. */
  restore(step: number, values: Float32Array, moments: Moments): void {
    this.step = step;
    this.values = values;
    this.#optimizer = this.#newOptimizer();
    this.#optimizer.adopt(moments);
  }

  /** The schedule's factor after `step` steps. */
  #factor(step: number): number {
    const { schedule, scheduleOptions, warmupSteps, totalSteps } = this.#settings;
    return learningRateFactor(schedule, { step, warmupSteps, totalSteps }, scheduleOptions);
  }

  #relayout({ indices }: Relayout): void {
    const { m, v, step } = this.#optimizer.moments;
    this.values = gatherValues(this.values, indices);
    this.#optimizer = this.#newOptimizer();
    this.#optimizer.adopt({ m: gatherValues(m, indices), v: gatherValues(v, indices), step });
  }

  #newOptimizer(): AdamW {
    const { betas, epsilon: eps, weightDecay } = this.#settings;
    const { decays = decaysByDefault } = this.#settings;
    const { tuner } = this.#method;
    const tensors = tuner.layout.segments.map(({ name, shape, start, end }) => ({
      start,
      end,
      rate: tuner.rateOf?.({ name, shape }) ?? 1,
      decays: decays({ name, shape }),
    }));
    return createAdamW(tensors, { betas, eps, weightDecay });
  }
}

/** Only norms have weights of one dimension. A name with `bias` may also be a table, such as T5's position biases. */
function decaysByDefault({ name, shape }: TrainedParameter): boolean {
  return !name.includes('bias') && !(name.endsWith('.weight') && shape.length === 1);
}
