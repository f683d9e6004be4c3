import { join } from 'node:path';
import { Command } from 'commander';
import { openInBrowser, openOption } from '../open-in-browser.ts';

interface Flags {
  output?: string;
  open: 'yes' | 'no';
}

export function reportCommand(): Command {
  return new Command('report')
    .description('Draw runs as one HTML file that needs no network: curves, ranks, importance, cost.')
    .argument('<run...>', 'folders of runs; those that differ by seed only are taken together')
    .option(
      '-o, --output <file>',
      'default: report.html in the folder of the run, of several in the current one',
    )
    .addOption(openOption())
    .action(run);
}

async function run(runs: string[], { output, open }: Flags): Promise<void> {
  const { writeReport } = await import('../../report/node/write-report.ts');
  const path = output ?? (runs.length === 1 ? join(runs[0], 'report.html') : 'report.html');
  writeReport(runs, path);
  console.log(`The report is in ${path}`);
  if (open === 'yes') openInBrowser(path);
}
