import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { UserError } from '../../support/user-error.ts';
import type { TrainEvent } from '../events.ts';

/** The files of a run. */
export function runFiles(folder: string) {
  return {
    config: join(folder, 'config.yaml'),
    metrics: join(folder, 'metrics.jsonl'),
    checkpoints: join(folder, 'checkpoints'),
    adapter: join(folder, 'adapter'),
    /** The fine-tuned model itself, for methods without an adapter. */
    model: join(folder, 'model'),
    card: join(folder, 'README.md'),
  };
}

/** Makes the folder; one that already holds a run is only taken to resume it. */
export function openRunFolder(folder: string, resume: boolean): void {
  const isUsed = existsSync(folder) && readdirSync(folder).length > 0;
  if (isUsed && !resume) {
    throw new UserError({
      where: `output: ${folder}`,
      expected: 'a new or empty folder',
      got: 'one with files in it',
      hint: 'Continue its run with --resume, or choose another with --set output=...',
    });
  }
  mkdirSync(folder, { recursive: true });
}

/**
 * Starts the event log, one JSON object a line. A resumed run keeps what was written up to the checkpoint's step:
 * what came after is going to happen again.
 */
export function openEventLog(path: string, resumedAt: number | undefined): (event: TrainEvent) => void {
  const kept = resumedAt === undefined || !existsSync(path) ? [] : eventsUntil(path, resumedAt);
  atomicWrite(path, kept.map((line) => `${line}\n`).join(''));
  return (event) => appendFileSync(path, `${JSON.stringify(event)}\n`);
}

function eventsUntil(path: string, step: number): string[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => {
    const event = parse(line);
    return event !== undefined && event.step <= step && event.type !== 'finish';
  });
}

/** The last line may have been cut short when the process was killed. */
function parse(line: string): TrainEvent | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
