/** Options of schedules that follow a score. Names are PyTorch's and transformers'. */
export interface MetricOptions {
  /** Whether a better score is lower or higher. */
  mode?: 'min' | 'max';
  /** Factor by which a reduction multiplies the rate. */
  factor?: number;
  /** Number of evaluations without a better score before the rate is reduced. */
  patience?: number;
  /** The amount by which a better score must exceed the best one. */
  threshold?: number;
  threshold_mode?: 'rel' | 'abs';
  /** Number of evaluations that do not count after a reduction. */
  cooldown?: number;
  /** Lowest and highest rate. */
  min_lr?: number;
  max_lr?: number;
  /** A smaller change of the rate is not made. */
  eps?: number;
  /** Number of evaluations that do not count after an increase. */
  warmup?: number;
  /** Whether to average the score over the last `window_size` evaluations. */
  smooth?: boolean;
  window_size?: number;
  /** Number of reductions at the lowest rate before the schedule restarts. */
  reset_start?: number;
}

/** The state of a schedule between evaluations. */
export type MetricState = Record<string, number | number[]>;

/** A learning rate that follows a score. */
export interface MetricSchedule {
  /** The whole state. Assign a saved state to resume. */
  state: MetricState;
  /** Returns the learning rate after an evaluation with this score. NaN does not count as better. */
  next(score: number, rate: number): number;
}

/** Whether a score is better than the best one. The first score always is. */
export function isBetter(
  score: number,
  best: number | undefined,
  {
    mode = 'min',
    threshold,
    threshold_mode,
  }: Required<Pick<MetricOptions, 'threshold' | 'threshold_mode'>> & {
    mode?: 'min' | 'max';
  },
): boolean {
  if (best === undefined || !Number.isFinite(score)) return Number.isFinite(score);
  const sign = mode === 'max' ? 1 : -1;
  const bound = threshold_mode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold;
  return mode === 'max' ? score > bound : score < bound;
}
