import type { TrainEvent } from '../../run/events.ts';

/** Estimates the remaining time of a run from the steps since its start event. */
export class TimeLeft {
  readonly #now: () => number;
  #started: { step: number; time: number; total: number } | undefined;

  /** @param now returns milliseconds, from any clock */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** Returns the remaining seconds after an event. NaN before they are known. */
  after(event: TrainEvent): number {
    if (event.type === 'start')
      this.#started = { step: event.step, time: this.#now(), total: event.total_steps };
    if (!this.#started || event.step <= this.#started.step) return Number.NaN;
    const secondsAStep = (this.#now() - this.#started.time) / 1000 / (event.step - this.#started.step);
    return secondsAStep * (this.#started.total - event.step);
  }
}
