import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { UserError } from '../../../support/user-error.ts';
import { DRAWN_BY, reportPage } from '../page/page.ts';
import { groupRuns, shortFolderNames } from '../run/group-runs.ts';
import { readRunRecord } from '../run/read-run-record.ts';

/**
 * Writes the report of the runs in some folders as one HTML file. Runs that differ only by their seed are grouped.
 *
 * @param refresh seconds after which the page reloads itself, while a run is active
 * @throws UserError if a folder is not that of a run, or the path is a file other than a report
 */
export function writeReport(folders: readonly string[], path: string, refresh?: number): void {
  const names = shortFolderNames(folders.map((folder) => resolve(folder)));
  checkReplaceable(path);
  const groups = groupRuns(folders.map((folder, i) => readRunRecord(folderFiles(folder), names[i])));
  atomicWrite(path, reportPage(groups, refresh));
}

/** Throws if the path is a file other than a report, because `-o train.tsv` would overwrite data. */
function checkReplaceable(path: string): void {
  if (!existsSync(path) || !statSync(path).isFile() || readFileSync(path, 'latin1').includes(DRAWN_BY))
    return;
  throw new UserError({
    where: path,
    fault: 'already exists and is not a report',
    hint: 'Choose another name with -o, or remove it.',
    code: 'already_exists',
  });
}
