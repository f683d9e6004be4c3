import type { FolderFiles } from '../../../input/formats/files.ts';
import { InvalidFile } from '../../../support/user-error.ts';
import { componentHistories } from '../../../training/run/component-history.ts';
import { logValues, readImportanceLog } from '../../../training/run/event-log.ts';
import { readEvent, type TrainEvent } from '../../../training/run/events.ts';
import { RUN_FILES, runYaml } from '../../../training/run/run-files.ts';
import { type RunRecord, runRecord, summarizeRun } from './run-record.ts';

/** Number of runs to list in the message about a folder that contains runs. */
const MAX_NAMED = 5;

/**
 * Reads the record of a run's folder from its `config.yaml` and `metrics.jsonl`. The run may be active or killed.
 *
 * @param name of the run
 * @throws UserError if the folder is not that of a run
 */
export function readRunRecord(run: FolderFiles, name = ''): RunRecord {
  const state = run.stat('');
  if (!state) throw run.missing('', 'the folder of a run');
  const isRun = (folder: FolderFiles) => folder.has(RUN_FILES.config);
  const inside = state.kind === 'folder' && !isRun(run) ? run.list() : [];
  const within = inside.filter((name) => isRun(run.within(name)));
  if (within.length > 0) {
    const named = within.slice(0, MAX_NAMED).map(run.path);
    const hint = `Name the runs in it: ${named.join(', ')}.`;
    throw new InvalidFile({ where: run.name, fault: 'contains runs but is not a run itself', hint });
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
