import { resolve } from 'node:path';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { REPORT_SCRIPT, reportPage } from '../page/report-page.ts';
import { groupRuns } from '../run/group-runs.ts';
import { folderNames } from '../run/names.ts';
import { contentPolicy } from './content-policy.ts';
import { readRunRecord } from './read-run-record.ts';

/**
 * Writes the report of some runs, given by their folders, as one HTML file. Runs that differ by their seed only are
 * taken together.
 *
 * @throws UserError where a folder is not that of a run
 */
export function writeReport(folders: readonly string[], path: string): void {
  const names = folderNames(folders.map((folder) => resolve(folder)));
  const groups = groupRuns(folders.map((folder, i) => readRunRecord(folder, names[i])));
  atomicWrite(path, reportPage(groups, contentPolicy(REPORT_SCRIPT)));
}
