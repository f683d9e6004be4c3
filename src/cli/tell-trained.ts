import { join } from 'node:path';
import type { TrainedAll } from '../experiments/node/train-all.ts';
import { STOPPED } from './stop-on-signal.ts';

/** Prints the results of several runs and sets the exit code. The table comes first, if a run is finished. */
export function tellTrained(
  output: string,
  { failed, stopped }: TrainedAll,
  markdown: string | undefined,
  remarks: readonly string[] = [],
): void {
  if (markdown !== undefined)
    console.log(`\n${markdown}\nThe table is in ${join(output, 'table.md')}, table.json and report.html`);
  for (const remark of remarks) console.log(remark);
  for (const { name, message } of failed) console.error(`${name} failed:\n${message.trim()}`);
  if (failed.length > 0) process.exitCode = 1;
  if (stopped) process.exitCode = STOPPED;
}
