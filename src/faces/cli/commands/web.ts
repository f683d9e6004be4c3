import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { disk } from '../../../input/formats/node/folder-files.ts';
import { parseModelId } from '../../../input/hub/model-id.ts';
import { resolveModel } from '../../../input/hub/node/resolve-model.ts';
import { servePage, writePage } from '../../servers/page/page-server.ts';
import { findPageMedium } from '../../web/page-options.ts';
import { openInBrowser } from '../open-in-browser.ts';
import { downloadDisplay } from '../terminal/download-display.ts';

interface Flags {
  port?: number;
  open: 'yes' | 'no';
  output?: string;
  model?: string;
}

/** The port is fixed, because browsers store a page's data by its address, which includes the port. */
const PORT = 7117;

export default async function run({ port = PORT, open, output, model: named }: Flags): Promise<void> {
  const model = named === undefined ? undefined : await findModel(named);
  if (output !== undefined) {
    writePage(output, model);
    console.log(`The page is in ${output}`);
    return;
  }
  const { url } = await servePage(port, model);
  console.log(`The page is at ${url}. Press Ctrl-C to stop it.`);
  if (open === 'yes') openInBrowser(url);
}

/**
 * Finds or downloads a model. A folder is known by its last name.
 *
 * @throws UserError for a model that the page cannot train
 */
async function findModel(model: string) {
  const folder = await resolveModel(model, {
    pools: true,
    onProgress: downloadDisplay(process.stderr),
  });
  await findPageMedium(disk.within(folder));
  return { name: parseModelId(model) && !existsSync(model) ? model : basename(folder), folder };
}
