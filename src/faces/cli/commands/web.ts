import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { Command } from 'commander';
import { parseModelId } from '../../../input/hub/model-id.ts';
import { sharedOption } from '../flags.ts';
import { openInBrowser, openOption } from '../open-in-browser.ts';

interface Flags {
  port?: number;
  open: 'yes' | 'no';
  output?: string;
  pictures?: string;
}

/** The port is fixed, because browsers store a page's data by its address, which includes the port. */
const PORT = 7117;

export function webCommand(): Command {
  return new Command('web')
    .description('Serve a page that trains in the browser. Your files stay in the browser.')
    .addOption(sharedOption('port'))
    .addOption(openOption())
    .option('--pictures <model>', 'vision transformer to train on pictures: a folder or a Hub id')
    .option('-o, --output <folder>', 'write the page to this folder instead, for a static host')
    .action(run);
}

async function run({ port = PORT, open, output, pictures: named }: Flags): Promise<void> {
  const pictures = named === undefined ? undefined : await pictureModel(named);
  const { servePage, writePage } = await import('../../servers/page/page-server.ts');
  if (output !== undefined) {
    writePage(output, pictures);
    console.log(`The page is in ${output}`);
    return;
  }
  const { url } = await servePage(port, pictures);
  console.log(`The page is at ${url}. Press Ctrl-C to stop it.`);
  if (open === 'yes') openInBrowser(url);
}

/** Finds or downloads a model. A folder is known by its last name. */
async function pictureModel(model: string) {
  const { resolveModel } = await import('../../../input/hub/node/resolve-model.ts');
  const folder = await resolveModel(model);
  return { name: parseModelId(model) && !existsSync(model) ? model : basename(folder), folder };
}
