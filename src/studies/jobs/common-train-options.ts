import { ANYTHING, FUNCTION, type OptionTypes, SIGNAL } from '../../support/options.ts';
import type { TrainEvent } from '../../training/run/events.ts';
import type { OnStepEnd } from '../../training/train/step-control.ts';

/** The options of a training that Node and a page share. */
export interface CommonTrainOptions<Resume> {
  /**
   * The checkpoint to resume from: in Node, `true` for the newest one in `output`; in a page, its file. The run must
   * have the same config, data and model, and ends with the same result as without a stop.
   */
  resume?: Resume | undefined;
  onEvent?: ((event: TrainEvent) => void) | undefined;
  /**
   * Called after each step, before any evaluation. Its result may end the run, evaluate, or change the learning rate.
   */
  onStepEnd?: OnStepEnd | undefined;
  /**
   * Aborting finishes the step, writes a checkpoint (in a page, if `onCheckpoint` is set) and ends the run with reason
   * "stopped". While rows of an async iterable are read, it rejects the promise with the signal's reason.
   */
  signal?: AbortSignal | undefined;
}

export const COMMON_TRAIN_OPTIONS: OptionTypes<CommonTrainOptions<unknown>> = {
  resume: ANYTHING,
  onEvent: FUNCTION,
  onStepEnd: FUNCTION,
  signal: SIGNAL,
};
