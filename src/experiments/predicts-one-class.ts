import type { EventOf } from '../run/events.ts';

/** Whether a model predicts one class for every example. It has learned nothing, whatever its accuracy. */
export function predictsOneClass(confusion: EventOf<'confusion'> | undefined): boolean {
  const predicted = confusion?.labels.filter((_, j) => confusion.counts.some((row) => row[j]! > 0));
  return predicted?.length === 1;
}
