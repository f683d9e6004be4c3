import { appendFileSync, existsSync } from 'node:fs';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import type { FinishEvent, TrainEvent } from '../events.ts';
import { logValues } from './log-values.ts';

/** The checkpoint that a run continues from. */
export interface ResumePoint {
  step: number;
  path: string;
}

/**
 * Opens the event log, which has one JSON object per line. A resumed run keeps the lines up to its checkpoint, because
 * it repeats later steps. It writes the checkpoint's own line again: a kill may have happened after the checkpoint was
 * written and before its line was.
 */
export function openEventLog(path: string, resumed: ResumePoint | undefined): (event: TrainEvent) => void {
  const kept = resumed ? readEvents(path).filter((event) => isBefore(event, resumed.step)) : [];
  const events = resumed ? [...kept, { type: 'checkpoint', ...resumed }] : [];
  atomicWrite(path, events.map(asLine).join(''));
  return (event) => appendFileSync(path, asLine(event));
}

/** The last event of a finished run; undefined for a run that was stopped or killed. */
export function finishOf(path: string): FinishEvent | undefined {
  const last = readEvents(path).at(-1);
  return last?.type === 'finish' && last.reason !== 'stopped' ? last : undefined;
}

/** The last step that a run's log tells of. After a kill, the run continues from an earlier one. */
export function lastStepOf(path: string): number {
  return readEvents(path).reduce((last, { step }) => Math.max(last, step), 0);
}

/** The number of steps in the schedule that a run started with. */
export function totalStepsOf(path: string): number | undefined {
  const start = readEvents(path).find(({ type }) => type === 'start');
  return start?.type === 'start' ? start.total_steps : undefined;
}

function isBefore({ type, step }: TrainEvent, resumedAt: number): boolean {
  if (type === 'finish') return false;
  return type === 'checkpoint' ? step < resumedAt : step <= resumedAt;
}

function readEvents(path: string): TrainEvent[] {
  if (!existsSync(path)) return [];
  return logValues(path).filter((event): event is TrainEvent => typeof event === 'object' && event !== null);
}

function asLine(event: object): string {
  return `${JSON.stringify(event)}\n`;
}
