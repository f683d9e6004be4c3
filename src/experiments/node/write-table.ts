import { join } from 'node:path';
import { writeReport } from '../../report/node/write-report.ts';
import { atomicWrite } from '../../store/node/atomic-write.ts';
import type { NamedRun } from './train-all.ts';

/** Writes the results of finished runs: `table.md`, `table.json`, `report.html`. */
export function writeTable(
  output: string,
  results: object,
  markdown: string,
  finished: readonly NamedRun[],
): void {
  atomicWrite(join(output, 'table.md'), markdown);
  atomicWrite(join(output, 'table.json'), `${JSON.stringify(results, null, 2)}\n`);
  const folders = finished.map(({ config }) => config.output as string);
  writeReport(folders, join(output, 'report.html'));
}
