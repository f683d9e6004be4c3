import type { MethodState } from '../tuners/method-run.ts';

/** The best evaluation so far, and how many have come since. */
export interface BestState {
  step: number;
  score: number;
  /** Evaluations since without a better one. */
  waited: number;
  metrics: Record<string, number>;
}

/** Sums between two log lines, as a checkpoint keeps them. */
export interface MeterState {
  lossSum: number;
  steps: number;
}

/** The mean losses of the first steps that were reported, of the last, and the largest. */
export interface LossCourse {
  first?: number;
  last?: number;
  peak: number;
}

/** Everything a run needs to go on as if it had never stopped. */
export interface TrainerState {
  step: number;
  /** Steps the optimizer has counted: those that were not skipped. */
  optimizerStep: number;
  skipped: { total: number; inARow: number };
  meter: MeterState;
  losses: LossCourse;
  best: BestState | undefined;
  lastMetrics: Record<string, number>;
  /** Trained values, AdamW's moments, the values of the best evaluation. */
  tensors: { values: Float32Array; m: Float32Array; v: Float32Array; best?: Float32Array };
  method: MethodState;
}
