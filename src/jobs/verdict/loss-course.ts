import type { TrainEvent } from '../../run/events.ts';

/** The mean training loss of the first steps that were reported, of the last, and the largest. */
export class LossCourse {
  first: number | undefined;
  last: number | undefined;
  peak = 0;

  note(event: TrainEvent): void {
    if (event.type !== 'step') return;
    this.first ??= event.loss;
    this.last = event.loss;
    this.peak = Math.max(this.peak, event.loss);
  }
}
