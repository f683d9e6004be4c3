import { counted, duration, short } from '../format.ts';
import type { RunRecord } from '../run/run-record.ts';

/** The progress of an active run: `Step 3 of 40 · loss 0.52 · 98 examples per second · 12.0 s left`. */
export function stepLine({ start, step, steps }: RunRecord, secondsLeft: number): string {
  const last = steps.at(-1);
  return [
    `Step ${counted(step)} of ${counted(start?.total_steps ?? step)}`,
    ...(last ? [`loss ${short(last.loss)}`, `${short(last.examples_per_second)} examples per second`] : []),
    ...(Number.isFinite(secondsLeft) ? [`${duration(secondsLeft)} left`] : []),
  ].join(' · ');
}
