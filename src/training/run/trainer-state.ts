import type { GradientNoise } from '../../methods/optim/gradient.ts';
import type { OptimizerState } from '../../methods/optim/moment-optimizer.ts';
import type { MethodState } from '../../methods/tuners/method-run.ts';

/** The best evaluation so far, and the number of evaluations since. */
export interface BestState {
  step: number;
  score: number;
  /** Number of evaluations since the best one. */
  waited: number;
  metrics: Record<string, number>;
}

/** Sums since the last log line, as stored in a checkpoint. */
export interface MeterState {
  lossSum: number;
  steps: number;
  noise?: GradientNoise;
}

/** The mean loss of the first and the last reported step, and the largest one. */
export interface LossCourse {
  first?: number;
  last?: number;
  peak: number;
}

/** Everything that a run needs to resume exactly. */
export interface TrainerState {
  step: number;
  /** Number of optimizer steps, without skipped ones. */
  optimizerStep: number;
  /** The learning rate that has replaced the config's, if any. */
  learningRate?: number;
  skipped: { total: number; inARow: number };
  meter: MeterState;
  losses: LossCourse;
  best: BestState | undefined;
  lastMetrics: Record<string, number>;
  /** Scores before the first step, if the untrained model can be scored. */
  before?: Record<string, number>;
  /** Trained values, and the values at the best evaluation. */
  tensors: { values: Float32Array; best?: Float32Array };
  optimizer: OptimizerState['vectors'];
  method: MethodState;
}
