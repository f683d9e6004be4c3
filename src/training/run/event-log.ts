import { z } from 'zod';
import { shallowJson } from '../../input/data/json.ts';
import { MAX_JSON_BYTES, parseSmallJson } from '../../input/formats/bounded-json.ts';
import { wholeFile } from '../../input/formats/byte-source.ts';
import { type FolderFiles, openFile, readText } from '../../input/formats/files.ts';
import type { ComponentImportance } from '../../methods/tuners/method-run.ts';
import { InvalidFile } from '../../support/user-error.ts';
import type { ImportanceLog } from './component-history.ts';
import type { FinishEvent, TrainEvent } from './events.ts';
import { RUN_FILES } from './run-files.ts';

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
export function logValues(run: FolderFiles): unknown[] {
  let damaged = 0;
  return readText(run, RUN_FILES.metrics, 'the log of a run', MAX_BYTES)
    .split('\n')
    .flatMap((line) => {
      if (line === '') return [];
      try {
        return [shallowJson(line)];
      } catch {
        if (++damaged <= MAX_DAMAGED) return [];
        throw new InvalidFile({
          where: run.path(RUN_FILES.metrics),
          fault: `has more than ${MAX_DAMAGED} lines that are not JSON`,
        });
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
  run: FolderFiles,
  resumedAt: number | undefined,
): (step: number, importance: readonly ComponentImportance[]) => void {
  const kept =
    resumedAt === undefined
      ? []
      : (readImportanceLog(run)?.rows ?? []).filter(({ step }) => step <= resumedAt);
  if (kept.length > 0)
    run.write(
      RUN_FILES.importance,
      kept.map(({ step, scores, kept }) => asRow(step, scores, kept)),
    );
  else run.remove(RUN_FILES.importance);
  let isNamed = kept.length > 0;
  return (step, importance) => {
    if (!isNamed) {
      const modules = importance.map(({ module, scores }) => ({ name: module, rank: scores.length }));
      run.write(RUN_FILES.importanceModules, `${JSON.stringify({ modules })}\n`);
      isNamed = true;
    }
    run.append(
      RUN_FILES.importance,
      asRow(
        step,
        importance.flatMap(({ scores }) => [...scores]),
        importance.flatMap(({ kept }) => [...kept]),
      ),
    );
  };
}

/** Reads the log of a run; undefined if it has none. Ignores a row that a kill cut short. */
export function readImportanceLog(run: FolderFiles): ImportanceLog | undefined {
  if (!run.has(RUN_FILES.importanceModules) || !run.has(RUN_FILES.importance)) return undefined;
  const where = run.path(RUN_FILES.importanceModules);
  const json = wholeFile(openFile(run, RUN_FILES.importanceModules, 'a file of the run'), MAX_JSON_BYTES);
  const { data } = schema.safeParse(parseSmallJson(json, where));
  if (!data) throw new InvalidFile({ where, fault: 'is not the list of an importance log' });
  const bytes = wholeFile(openFile(run, RUN_FILES.importance, 'an importance log'), MAX_LOG_BYTES);
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
interface ResumePoint {
  step: number;
  path: string;
}

/**
 * Opens the event log, which has one JSON object per line. A resumed run keeps the lines up to its checkpoint, because
 * it repeats later steps. It writes the checkpoint's own line again: a kill may have happened after the checkpoint was
 * written and before its line was.
 */
export function openEventLog(
  run: FolderFiles,
  resumed: ResumePoint | undefined,
): (event: TrainEvent) => void {
  const kept = resumed ? readEvents(run).filter((event) => isBefore(event, resumed.step)) : [];
  const events = resumed ? [...kept, { type: 'checkpoint', ...resumed }] : [];
  run.write(RUN_FILES.metrics, events.map(asLine).join(''));
  return (event) => run.append(RUN_FILES.metrics, asLine(event));
}

/** The last event of a finished run; undefined for a run that was stopped or killed. */
export function readFinish(run: FolderFiles): FinishEvent | undefined {
  const last = readEvents(run).findLast(({ type }) => type !== 'test');
  return last?.type === 'finish' && last.reason !== 'stopped' ? last : undefined;
}

/** Adds an event to the log of a finished run. */
export function appendEvent(run: FolderFiles, event: TrainEvent): void {
  run.append(RUN_FILES.metrics, asLine(event));
}

/** The last step that a run's log tells of. After a kill, the run continues from an earlier one. */
export function readLastStep(run: FolderFiles): number {
  return readEvents(run).reduce((last, { step }) => Math.max(last, step), 0);
}

/** The number of steps in the schedule that a run started with. */
export function readTotalSteps(run: FolderFiles): number | undefined {
  const start = readEvents(run).find(({ type }) => type === 'start');
  return start?.type === 'start' ? start.total_steps : undefined;
}

function isBefore({ type, step }: TrainEvent, resumedAt: number): boolean {
  if (type === 'finish' || type === 'test') return false;
  return type === 'checkpoint' ? step < resumedAt : step <= resumedAt;
}

function readEvents(run: FolderFiles): TrainEvent[] {
  if (!run.has(RUN_FILES.metrics)) return [];
  return logValues(run).filter((event): event is TrainEvent => typeof event === 'object' && event !== null);
}

function asLine(event: object): string {
  return `${JSON.stringify(event)}\n`;
}
