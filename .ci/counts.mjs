// Prints the closing counts of vitest's JSON report: `N passed, N failed`, and how many were skipped if any were.
import { readFileSync } from 'node:fs';

try {
  const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  // A file that could not be loaded has no tests that could fail.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  const skipped = report.numPendingTests + report.numTodoTests;
  const counts = [`${report.numPassedTests} passed`, `${report.numFailedTests + broken.length} failed`];
  console.log([...counts, ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(', '));
} catch {
  console.log('0 passed, 1 failed');
}
