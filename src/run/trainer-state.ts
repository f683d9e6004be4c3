import type { MethodState } from '../tuners/method-run.ts';
import type { BestState } from '../train/best-tracker.ts';
import type { MeterState } from '../train/meter.ts';

/** Everything a run needs to go on as if it had never stopped. */
export interface TrainerState {
  step: number;
  /** Steps the optimizer has counted: those that were not skipped. */
  optimizerStep: number;
  skipped: { total: number; inARow: number };
  meter: MeterState;
  best: BestState | undefined;
  lastMetrics: Record<string, number>;
  /** Trained values, AdamW's moments, the values of the best evaluation. */
  tensors: { values: Float32Array; m: Float32Array; v: Float32Array; best?: Float32Array };
  method: MethodState;
}
