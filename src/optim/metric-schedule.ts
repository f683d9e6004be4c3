/** Options of schedules that follow a score, by PyTorch's and transformers' names. */
export interface MetricOptions {
  /** Whether the score should fall or rise. */
  mode?: 'min' | 'max';
  /** Factor of a reduction. */
  factor?: number;
  /** Evaluations without a better score before a reduction. */
  patience?: number;
  /** A score is better if it exceeds the best one by this much. */
  threshold?: number;
  threshold_mode?: 'rel' | 'abs';
  /** Evaluations after a reduction that do not count. */
  cooldown?: number;
  /** Lowest and highest rate. */
  min_lr?: number;
  max_lr?: number;
  /** Smaller changes of the rate are not made. */
  eps?: number;
  /** Evaluations after an increase that do not count. */
  warmup?: number;
  /** Whether to average the score over the last `window_size` evaluations. */
  smooth?: boolean;
  window_size?: number;
  /** Reductions at the lowest rate before the schedule starts again. */
  reset_start?: number;
}

/** The state of a schedule between evaluations. */
export type MetricState = Record<string, number | number[]>;

/** A learning rate that follows a score. */
export interface MetricSchedule {
  /** The whole state. Assign it to resume. */
  state: MetricState;
  /** The learning rate after an evaluation with this score. NaN counts as not better. */
  next(score: number, rate: number): number;
}

/** Whether a score is better than the best one; the first one always is. */
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
