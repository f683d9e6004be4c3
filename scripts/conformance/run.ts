import { listCases, type Outcome } from './run-folder.ts';

/*
 * npm run conformance -- FOLDER: compares this library with the golden cases in FOLDER (format: README.md beside the
 * shared ones), a line a case: the largest deviation of each kind beside the limit it had there.
 */

const folder = process.argv[2] ?? '../shared/conformance';
const counts: Record<Outcome['status'], number> = { passed: 0, failed: 0, skipped: 0 };
const cases = listCases(folder);
if (cases.length === 0) console.error(`${folder}: expected folders of cases in models/ or trajectories/`);
for (const { name, run } of cases) {
  const { status, text } = await run();
  counts[status]++;
  console.log(`${status.padEnd(7)} ${name}: ${text}`);
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || cases.length === 0 ? 1 : 0;
