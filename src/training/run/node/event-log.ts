import { appendFileSync, existsSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { shallowJson } from '../../../input/data/json.ts';
import { readBytes, readJson, readText } from '../../../input/formats/node/read-text.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import type { ComponentImportance } from '../../../methods/tuners/method-run.ts';
import { InvalidFile } from '../../../support/user-error.ts';
import type { ImportanceLog } from '../component-history.ts';
import type { FinishEvent, TrainEvent } from '../events.ts';
import { runFiles } from './run-folder.ts';

/** The approximate size of a log of a million steps. A longer log would not fit into one string. */
const MAX_BYTES = 2 ** 28;
/**
 * Maximum number of invalid lines. A killed run leaves one. An invalid line takes as long to parse as many valid lines.
 */
const MAX_DAMAGED = 1000;

/**
 * Reads the JSON values of a run's log, one per line. Skips lines that are not JSON, such as an incomplete last line.
 *
 * @throws UserError for a log with more than `MAX_DAMAGED` invalid lines
 */
export function logValues(path: string): unknown[] {
  let damaged = 0;
  return readText(path, 'the log of a run', MAX_BYTES)
    .split('\n')
    .flatMap((line) => {
      if (line === '') return [];
      try {
        return [shallowJson(line)];
      } catch {
        if (++damaged <= MAX_DAMAGED) return [];
        throw new InvalidFile({ where: path, fault: `has more than ${MAX_DAMAGED} lines that are not JSON` });
      }
    });
}

const MAX_LOG_BYTES = 2 ** 30;
const schema = z.object({
  modules: z
    .array(
      z.object({
        name: z.string(),
        rank: z
          .int()
          .min(0)
          .max(2 ** 20),
      }),
    )
    .min(1),
});

/**
 * Opens the importance log. `importance.f32` has a row of little-endian float32 per allocation: the step, the scores,
 * then 1 for kept and 0 for dropped components. `importance.json` names the modules. A resumed run keeps the rows up to
 * its checkpoint.
 */
export function openImportanceLog(
  folder: string,
  resumedAt: number | undefined,
): (step: number, importance: readonly ComponentImportance[]) => void {
  const files = runFiles(folder);
  const kept =
    resumedAt === undefined
      ? []
      : (readImportanceLog(folder)?.rows ?? []).filter(({ step }) => step <= resumedAt);
  if (kept.length > 0)
    atomicWrite(
      files.importance,
      kept.map(({ step, scores, kept }) => asRow(step, scores, kept)),
    );
  else rmSync(files.importance, { force: true });
  let isNamed = kept.length > 0;
  return (step, importance) => {
    if (!isNamed) {
      const modules = importance.map(({ module, scores }) => ({ name: module, rank: scores.length }));
      atomicWrite(files.importanceModules, `${JSON.stringify({ modules })}\n`);
      isNamed = true;
    }
    appendFileSync(
      files.importance,
      asRow(
        step,
        importance.flatMap(({ scores }) => [...scores]),
        importance.flatMap(({ kept }) => [...kept]),
      ),
    );
  };
}

/** Reads the log of a run; undefined if it has none. Ignores a row that a kill cut short. */
export function readImportanceLog(folder: string): ImportanceLog | undefined {
  const files = runFiles(folder);
  if (!existsSync(files.importanceModules) || !existsSync(files.importance)) return undefined;
  const { data } = schema.safeParse(readJson(files.importanceModules, 'the modules of an importance log'));
  if (!data)
    throw new InvalidFile({ where: files.importanceModules, fault: 'is not the list of an importance log' });
  const bytes = readBytes(files.importance, 'an importance log', MAX_LOG_BYTES);
  const values = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~3)),
  );
  const count = data.modules.reduce((sum, { rank }) => sum + rank, 0);
  const width = 1 + 2 * count;
  const rows = Array.from({ length: Math.floor(values.length / width) }, (_, i) => {
    const row = values.subarray(i * width, (i + 1) * width);
    return { step: row[0]!, scores: row.subarray(1, 1 + count), kept: row.subarray(1 + count) };
  });
  return { modules: data.modules, rows };
}

function asRow(step: number, scores: Iterable<number>, kept: Iterable<number>): Uint8Array {
  return new Uint8Array(Float32Array.from([step, ...scores, ...kept]).buffer);
}

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
