import { existsSync } from 'node:fs';
import { GOLDEN, missingCases } from './golden-counts.ts';
import { listCases, type Outcome } from './run-folder.ts';

/*
 * npm run conformance -- FOLDER: compares this library with the golden cases in FOLDER (format: README.md beside the
 * shared ones), a line a case: the largest deviation of each kind beside the limit it had there. Without FOLDER it takes
 * the shared ones, of which none may be missing; without those it does nothing.
 */

const folder = process.argv[2] ?? GOLDEN;
if (folder === GOLDEN && !existsSync(GOLDEN)) console.log(`skipped: there is no ${GOLDEN}`);
else await compareAll();

async function compareAll(): Promise<void> {
  const counts: Record<Outcome['status'], number> = { passed: 0, failed: 0, skipped: 0 };
  const compared: string[] = [];
  for (const { name, run } of listCases(folder)) {
    const { status, text } = await run();
    counts[status]++;
    if (status !== 'skipped') compared.push(name);
    console.log(`${status.padEnd(7)} ${name}: ${text}`);
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  const missing = folder === GOLDEN ? missingCases(compared) : [];
  if (compared.length === 0) missing.push(`${folder}: expected folders of cases in models/ or trajectories/`);
  for (const sentence of missing) console.error(sentence);
  process.exitCode = counts.failed + missing.length > 0 ? 1 : 0;
}
