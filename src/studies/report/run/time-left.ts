import type { TrainEvent } from '../../../training/run/events.ts';

/** Estimates the remaining time of a run from its steps since its start event, those of a cross-validation included. */
export class TimeLeft {
  readonly #now: () => number;
  #foldSteps = 0;
  #total = 0;
  #started: { steps: number; time: number } | undefined;

  /** @param now returns milliseconds, from any clock */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Returns the remaining seconds after an event. NaN before they are known. */
  after(event: TrainEvent): number {
    if (event.type === 'start') {
      this.#foldSteps = event.fold_steps ?? 0;
      this.#total = this.#foldSteps + event.total_steps;
      this.#started = { steps: event.step > 0 ? this.#foldSteps + event.step : 0, time: this.#now() };
      return event.expected_seconds ?? Number.NaN;
    }
    const isFolds = event.type === 'progress' && event.what === 'folds';
    // Before the first step, only a cross-validation is measured.
    if (!this.#started || (!isFolds && event.step === 0)) return Number.NaN;
    const steps = isFolds ? event.share * this.#foldSteps : this.#foldSteps + event.step;
    const { steps: before, time } = this.#started;
    if (steps <= before) return Number.NaN;
    return ((this.#now() - time) / 1000 / (steps - before)) * (this.#total - steps);
  }
}
