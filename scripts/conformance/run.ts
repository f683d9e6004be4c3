import { goldenCases, lostCases } from './golden-folders.ts';
import { listCases, type Outcome } from './run-folder.ts';

/*
 * npm run conformance -- FOLDER...
 *
 * Compares this library with the golden cases in folders, by default the shared ones; each folder's README.md
 * describes the format. Prints a line per case with the largest deviation of each kind, and its limit.
 */

const folders = process.argv.slice(2);
const counts: Record<Outcome['status'], number> = { passed: 0, failed: 0, skipped: 0 };
const faults = folders.length > 0 ? [] : lostCases();
const groups = folders.length > 0 ? folders.map(listCases) : [goldenCases()];
groups.forEach((cases, i) => {
  const where = folders[i] ?? '../shared';
  if (cases.length === 0) faults.push(`${where}: expected folders of cases in models/ or trajectories/`);
});
for (const { name, run } of groups.flat()) {
  const { status, text } = await run();
  counts[status]++;
  console.log(`${status.padEnd(7)} ${name}: ${text}`);
}
for (const fault of faults) console.error(fault);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || faults.length > 0 ? 1 : 0;
