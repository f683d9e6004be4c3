import type { MetricState } from '../optim/metric-schedule.ts';
import type { GradientNoise } from '../optim/noise-scale.ts';
import type { OptimizerState } from '../optim/optimizer.ts';
import type { MethodState } from '../tuners/method-run.ts';

/** The best evaluation so far, and the number of evaluations since. */
export interface BestState {
  step: number;
  score: number;
  /** Evaluations since the best one. */
  waited: number;
  metrics: Record<string, number>;
  /** The best score, if a later evaluation with a slightly worse score is kept instead. */
  top?: number;
}

/** Sums between two log lines, as stored in a checkpoint. */
export interface MeterState {
  lossSum: number;
  steps: number;
  noise?: GradientNoise;
}

/** The mean losses of the first and last reported steps, and the largest. */
export interface LossCourse {
  first?: number;
  last?: number;
  peak: number;
}

/** Everything that a run needs to resume exactly. */
export interface TrainerState {
  step: number;
  /** Optimizer steps without skipped ones. */
  optimizerStep: number;
  /** The rate that replaced the config's; missing if none did. */
  learningRate?: number;
  /** The state of a schedule that follows the evaluations. */
  schedule?: MetricState;
  skipped: { total: number; inARow: number };
  meter: MeterState;
  losses: LossCourse;
  best: BestState | undefined;
  lastMetrics: Record<string, number>;
  /** Scores before the first step, if they are meaningful. */
  before?: Record<string, number>;
  /** Trained values, and the values of the best evaluation. */
  tensors: { values: Float32Array; best?: Float32Array };
  optimizer: OptimizerState['vectors'];
  method: MethodState;
}
