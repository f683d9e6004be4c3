import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FolderFiles } from '../../../input/formats/files.ts';
import { missingFile } from '../../../input/formats/node/file-source.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { InvalidFile } from '../../../support/user-error.ts';
import { componentHistories } from '../../../training/run/component-history.ts';
import { logValues, readImportanceLog } from '../../../training/run/event-log.ts';
import { readEvent, type TrainEvent } from '../../../training/run/events.ts';
import { RUN_FILES, runYaml } from '../../../training/run/run-files.ts';
import { type RunRecord, runRecord, summarizeRun } from '../run/run-record.ts';

/** Number of runs to list in the message about a folder that contains runs. */
const MAX_NAMED = 5;

/**
 * Reads the record of a run's folder from its `config.yaml` and `metrics.jsonl`. The run may be active or killed.
 *
 * @param name of the run
 * @throws UserError if the folder is not that of a run
 */
export function readRunRecord(folder: string, name = ''): RunRecord {
  if (!statSync(folder, { throwIfNoEntry: false })) throw missingFile(folder, 'the folder of a run');
  const run = folderFiles(folder);
  const within = run.has(RUN_FILES.config) ? [] : runsIn(folder);
  if (within.length > 0) {
    const hint = `Name the runs in it: ${within.slice(0, MAX_NAMED).join(', ')}.`;
    throw new InvalidFile({ where: folder, fault: 'contains runs but is not a run itself', hint });
  }
  const facts = summarizeRun(runYaml(run));
  if (!facts)
    throw new InvalidFile({ where: run.path(RUN_FILES.config), fault: 'is not a config written by a run' });
  const record = runRecord(facts, readRunEvents(run), name);
  const log = readImportanceLog(run);
  return { ...record, ...(log && { histories: componentHistories(log) }) };
}

/** Reads the events of a log for a report. Skips invalid lines, such as an incomplete last line. */
export function readRunEvents(run: FolderFiles): TrainEvent[] {
  return logValues(run).flatMap((value) => readEvent(value) ?? []);
}

/** Paths of the runs in a folder. */
function runsIn(folder: string): string[] {
  if (!statSync(folder).isDirectory()) return [];
  const inside = readdirSync(folder).map((name) => join(folder, name));
  return inside.filter((path) => folderFiles(path).has(RUN_FILES.config));
}
