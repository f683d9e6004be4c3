import { appendFileSync, existsSync } from 'node:fs';
import { shallowJson } from '../../data/shallow-json.ts';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { readText } from '../../formats/node/read-text.ts';
import type { FinishEvent, TrainEvent } from '../events.ts';

/** The same limit as in a report. */
const MAX_LOG_BYTES = 2 ** 28;

/** The checkpoint that a run continues from. */
export interface ResumePoint {
  step: number;
  path: string;
}

/**
 * Opens the event log, one JSON object per line. A resumed run keeps the lines up to its checkpoint, because later
 * steps will be repeated. The checkpoint's own line is written again, because the process may have been killed
 * between the two.
 */
export function openEventLog(path: string, resumed: ResumePoint | undefined): (event: TrainEvent) => void {
  const kept = resumed ? readEvents(path).filter((event) => isBefore(event, resumed.step)) : [];
  const events = resumed ? [...kept, { type: 'checkpoint', ...resumed }] : [];
  atomicWrite(path, events.map(asLine).join(''));
  return (event) => appendFileSync(path, asLine(event));
}

/** The last event of a finished run; undefined for one that was stopped or killed. */
export function finishOf(path: string): FinishEvent | undefined {
  const last = readEvents(path).at(-1);
  return last?.type === 'finish' && last.reason !== 'stopped' ? last : undefined;
}

/** Steps of the schedule that a run started with. */
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
  return readText(path, 'the log of a run', MAX_LOG_BYTES).split('\n').flatMap(parse);
}

/** The last line may be incomplete if the process was killed. */
function parse(line: string): TrainEvent[] {
  try {
    const event = shallowJson(line);
    return typeof event === 'object' && event !== null ? [event as TrainEvent] : [];
  } catch {
    return [];
  }
}

function asLine(event: object): string {
  return `${JSON.stringify(event)}\n`;
}
