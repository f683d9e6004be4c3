/** Options of schedules, named as in transformers' `lr_scheduler_kwargs`. */
export interface ScheduleOptions {
  /** Number of waves of a cosine (0.5 is a single fall), or of restarts. */
  num_cycles?: number;
  /** Exponent of a polynomial. */
  power?: number;
  /** Final learning rate of a polynomial. */
  lr_end?: number;
  /** Number of steps over which the inverse square root falls. */
  timescale?: number;
  /** Number of steps at the full rate, and of the decay after them. */
  num_stable_steps?: number;
  num_decay_steps?: number;
  warmup_type?: Ramp;
  decay_type?: Ramp;
  /** Lowest rate, as a share of the learning rate. */
  min_lr_ratio?: number;
  /** The same for the cosine schedules that also accept `min_lr`, the rate itself. */
  min_lr_rate?: number;
  min_lr?: number;
  /** The rate of the first step, as a share of the learning rate. */
  warmup_lr_rate?: number;
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
  /** The base learning rate. */
  rate: number;
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
    options: ['num_cycles'],
    factor: ({ progress }, { num_cycles = 0.5 }) => 0.5 * (1 + Math.cos(2 * Math.PI * num_cycles * progress)),
  },
  cosine_with_restarts: {
    options: ['num_cycles'],
    factor: ({ progress }, { num_cycles = 1 }) =>
      progress >= 1 ? 0 : 0.5 * (1 + Math.cos(Math.PI * ((num_cycles * progress) % 1))),
  },
  polynomial: {
    options: ['power', 'lr_end'],
    factor: ({ progress, rate }, { power = 1, lr_end = 1e-7 }) =>
      ((rate - lr_end) * Math.max(0, 1 - progress) ** power + lr_end) / rate,
  },
  cosine_with_min_lr: {
    options: ['num_cycles', 'min_lr', 'min_lr_rate'],
    factor: ({ progress, rate }, options) => cosineAbove(progress, rate, options),
  },
  cosine_warmup_with_min_lr: {
    options: ['num_cycles', 'min_lr', 'min_lr_rate', 'warmup_lr_rate'],
    warmup({ step, warmupSteps }, { warmup_lr_rate: first }) {
      if (first === undefined) return (step + 1) / warmupSteps;
      return first + ((1 - first) * step) / Math.max(1, warmupSteps - 1);
    },
    factor: ({ step, warmupSteps, totalSteps, rate }, options) =>
      cosineAbove((step - warmupSteps + 1) / Math.max(1, totalSteps - warmupSteps), rate, options),
  },
  constant: { options: [], warmup: null, factor: () => 1 },
  constant_with_warmup: { options: [], factor: () => 1 },
  inverse_sqrt: {
    options: ['timescale'],
    factor({ step, warmupSteps }, { timescale = warmupSteps || 10_000 }) {
      return 1 / Math.sqrt((step + timescale - warmupSteps) / timescale);
    },
  },
  warmup_stable_decay: {
    options: [
      ...(['num_stable_steps', 'num_decay_steps', 'warmup_type', 'decay_type'] as const),
      ...(['min_lr_ratio', 'num_cycles'] as const),
    ],
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
      const {
        num_decay_steps: decay = 0,
        num_cycles = 0.5,
        decay_type = 'cosine',
        min_lr_ratio = 0,
      } = options;
      const stable = options.num_stable_steps ?? totalSteps - warmupSteps - decay;
      const past = step - warmupSteps - stable;
      if (past < 0) return 1;
      if (past >= decay) return min_lr_ratio;
      const progress = past / Math.max(1, decay);
      const falls: Record<Ramp, number> = {
        linear: 1 - progress,
        cosine: 0.5 * (1 + Math.cos(2 * Math.PI * num_cycles * progress)),
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

/** A cosine that ends at a lowest rate instead of 0. */
function cosineAbove(
  progress: number,
  rate: number,
  { num_cycles = 0.5, min_lr = 0, min_lr_rate = min_lr / rate }: ScheduleOptions,
): number {
  const cosine = 0.5 * (1 + Math.cos(2 * Math.PI * num_cycles * progress));
  return cosine * (1 - min_lr_rate) + min_lr_rate;
}

/** The number of warm-up steps for a share of the run (`warmup_ratio`), rounded up as in Hugging Face's trainer. */
export function countWarmupSteps(ratio: number, totalSteps: number): number {
  return Math.ceil(totalSteps * ratio);
}
