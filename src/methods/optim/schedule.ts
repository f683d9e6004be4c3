/** Options of schedules, named as in transformers' `lr_scheduler_kwargs`. */
export interface ScheduleOptions {
  /** Number of steps at the full rate, and of the decay after them. */
  num_stable_steps?: number;
  num_decay_steps?: number;
  warmup_type?: Ramp;
  decay_type?: Ramp;
  /** Lowest rate, as a share of the learning rate. */
  min_lr_ratio?: number;
}

/** The shapes of a warm-up or decay. */
export const RAMPS = ['linear', 'cosine', '1-sqrt'] as const;
type Ramp = (typeof RAMPS)[number];

/** A position in a run. */
interface At {
  /** Number of optimizer steps taken. */
  step: number;
  warmupSteps: number;
  totalSteps: number;
}

interface Schedule {
  /** Names of the options that the schedule accepts. */
  options: readonly (keyof ScheduleOptions)[];
  /**
   * Returns the factor of a warm-up step. By default, it rises linearly from 0. `null`: the schedule has no warm-up.
   */
  warmup?: ((at: At, options: ScheduleOptions) => number) | null;
  /** Returns the factor after the warm-up. `progress` is the share of the remaining steps that are taken. */
  factor(at: At & { progress: number }, options: ScheduleOptions): number;
}

/** The schedules, by their `lr_scheduler_type` in Hugging Face's `TrainingArguments`. To add one, add an entry. */
const SCHEDULES = {
  linear: {
    options: [],
    factor: ({ step, warmupSteps, totalSteps }) =>
      (totalSteps - step) / Math.max(1, totalSteps - warmupSteps),
  },
  cosine: {
    options: [],
    factor: ({ progress }) => 0.5 * (1 + Math.cos(Math.PI * progress)),
  },
  constant: { options: [], warmup: null, factor: () => 1 },
  constant_with_warmup: { options: [], factor: () => 1 },
  warmup_stable_decay: {
    options: ['num_stable_steps', 'num_decay_steps', 'warmup_type', 'decay_type', 'min_lr_ratio'],
    warmup({ step, warmupSteps }, { warmup_type = 'linear', min_lr_ratio = 0 }) {
      const progress = step / warmupSteps;
      const rises: Record<Ramp, number> = {
        linear: progress,
        cosine: 0.5 * (1 - Math.cos(Math.PI * progress)),
        '1-sqrt': 1 - Math.sqrt(1 - progress),
      };
      return rises[warmup_type] * (1 - min_lr_ratio) + min_lr_ratio;
    },
    factor({ step, warmupSteps, totalSteps }, options) {
      const { num_decay_steps: decay = 0, decay_type = 'cosine', min_lr_ratio = 0 } = options;
      const stable = options.num_stable_steps ?? totalSteps - warmupSteps - decay;
      const past = step - warmupSteps - stable;
      if (past < 0) return 1;
      if (past >= decay) return min_lr_ratio;
      const progress = past / Math.max(1, decay);
      const falls: Record<Ramp, number> = {
        linear: 1 - progress,
        cosine: 0.5 * (1 + Math.cos(Math.PI * progress)),
        '1-sqrt': 1 - Math.sqrt(progress),
      };
      return falls[decay_type] * (1 - min_lr_ratio) + min_lr_ratio;
    },
  },
} satisfies Record<string, Schedule>;

export type LrSchedulerType = keyof typeof SCHEDULES;
export const LR_SCHEDULER_TYPES = Object.keys(SCHEDULES) as [LrSchedulerType, ...LrSchedulerType[]];

/** The keys of `lr_scheduler_kwargs` that a schedule accepts. */
export function scheduleOptions(type: LrSchedulerType): readonly (keyof ScheduleOptions)[] {
  return SCHEDULES[type].options;
}

export function hasWarmup(type: LrSchedulerType): boolean {
  return (SCHEDULES[type] as Schedule).warmup !== null;
}

/** The factor of the base learning rate at a step, as in `transformers.optimization`. */
export function learningRateFactor(type: LrSchedulerType, at: At, options: ScheduleOptions = {}): number {
  const { step, warmupSteps, totalSteps } = at;
  const schedule: Schedule = SCHEDULES[type];
  // With a warm-up, the rate of the first step is usually 0, as in transformers.
  const { warmup = () => step / warmupSteps } = schedule;
  if (warmup && step < warmupSteps) return warmup(at, options);
  const progress = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  return Math.max(0, schedule.factor({ ...at, progress }, options));
}

/** The number of warm-up steps for a share of the run (`warmup_ratio`), rounded up as in Hugging Face's trainer. */
export function countWarmupSteps(ratio: number, totalSteps: number): number {
  return Math.ceil(totalSteps * ratio);
}
