import { join } from 'node:path';
import { writeReport } from '../../../studies/report/node/write-report.ts';
import { openInBrowser } from '../open-in-browser.ts';

interface Flags {
  output?: string;
  open: 'yes' | 'no';
}

export default async function run(runs: string[], { output, open }: Flags): Promise<void> {
  const path = output ?? (runs.length === 1 ? join(runs[0]!, 'report.html') : 'report.html');
  writeReport(runs, path);
  console.log(`The report is in ${path}`);
  if (open === 'yes') openInBrowser(path);
}
