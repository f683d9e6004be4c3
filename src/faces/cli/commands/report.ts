import { join } from 'node:path';
import { Command } from 'commander';
import { openInBrowser, openOption } from '../open-in-browser.ts';

interface Flags {
  output?: string;
  open: 'yes' | 'no';
}

export function reportCommand(): Command {
  return new Command('report')
    .description(
      'Write an HTML report of one or more runs: curves, ranks, importance, cost. It works offline.',
    )
    .argument('<run...>', 'folders of runs; runs that differ only by seed are averaged')
    .option(
      '-o, --output <file>',
      'output file (default: report.html in the folder of the run; for several runs, in the current folder)',
    )
    .addOption(openOption())
    .action(run);
}

async function run(runs: string[], { output, open }: Flags): Promise<void> {
  const { writeReport } = await import('../../../studies/report/node/write-report.ts');
  const path = output ?? (runs.length === 1 ? join(runs[0]!, 'report.html') : 'report.html');
  writeReport(runs, path);
  console.log(`The report is in ${path}`);
  if (open === 'yes') openInBrowser(path);
}
