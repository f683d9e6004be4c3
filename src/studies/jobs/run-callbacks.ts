import { ANYTHING, FUNCTION, type OptionTypes, SIGNAL } from '../../support/options.ts';
import type { TrainEvent } from '../../training/run/events.ts';
import {
  checkedControl,
  type OnStepEnd,
  type StepControl,
  type StepState,
} from '../../training/train/step-control.ts';

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
   * "stopped". While rows are read (in Node, before the event `start`), it rejects the promise with the signal's reason.
   */
  signal?: AbortSignal | undefined;
}

export const COMMON_TRAIN_OPTIONS: OptionTypes<CommonTrainOptions<unknown>> = {
  resume: ANYTHING,
  onEvent: FUNCTION,
  onStepEnd: FUNCTION,
  signal: SIGNAL,
};

/**
 * Calls the caller's functions during a run. After an error in one of them, no event is passed on, and the run stops as
 * on a signal. Then it fails with this error.
 */
export class RunCallbacks {
  readonly #options: CommonTrainOptions<unknown>;
  readonly #stop: () => void;
  #mistake: { error: unknown } | undefined;
  /** Pending calls of an asynchronous `onEvent`. */
  #pending: Promise<unknown> = Promise.resolve();

  /** @param stop asks the run to stop after the current step */
  constructor(options: CommonTrainOptions<unknown>, stop: () => void) {
    this.#options = options;
    this.#stop = stop;
    const { signal } = options;
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
  }

  /** Records an error in the caller's code without stopping the run. */
  fail(error: unknown): void {
    this.#mistake ??= { error };
  }

  tell(event: TrainEvent): void {
    if (this.#mistake) return;
    try {
      const returned: unknown = this.#options.onEvent?.(event);
      if (!(returned instanceof Promise)) return;
      const handled = returned.catch((error) => this.#failed(error));
      this.#pending = this.#pending.then(() => handled);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The requests of `onStepEnd`; undefined after an error in it. */
  async control(state: StepState): Promise<StepControl | undefined> {
    try {
      return checkedControl(await this.#options.onStepEnd?.(state));
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  /**
   * Ends with the run: waits for pending calls, and no longer listens to the signal.
   *
   * @throws the first error in the caller's code
   */
  async settle(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#stop);
    await this.#pending;
    if (this.#mistake) throw this.#mistake.error;
  }

  #failed(error: unknown): void {
    this.fail(error);
    this.#stop();
  }
}
