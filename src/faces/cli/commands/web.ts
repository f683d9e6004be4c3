import { Command } from 'commander';
import { portOption } from '../flags.ts';
import { openInBrowser, openOption } from '../open-in-browser.ts';

interface Flags {
  port?: number;
  open: 'yes' | 'no';
  output?: string;
}

/** The port is fixed, because browsers store a page's data by its address, which includes the port. */
const PORT = 7117;

export function webCommand(): Command {
  return new Command('web')
    .description('Serve a page that trains in the browser. Your files stay in the browser.')
    .addOption(portOption())
    .addOption(openOption())
    .option('-o, --output <folder>', 'write the page to this folder instead, for a static host')
    .action(run);
}

async function run({ port = PORT, open, output }: Flags): Promise<void> {
  if (output !== undefined) {
    const { writePage } = await import('../../servers/page/page-parts.ts');
    writePage(output);
    console.log(`The page is in ${output}`);
    return;
  }
  const { servePage } = await import('../../servers/page/page-server.ts');
  const { url } = await servePage(port);
  console.log(`The page is at ${url}. Press Ctrl-C to stop it.`);
  if (open === 'yes') openInBrowser(url);
}
