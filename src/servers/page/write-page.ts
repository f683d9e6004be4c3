import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNewFolder } from '../../formats/node/assert-new-folder.ts';
import { makeFolder } from '../../formats/node/make-folder.ts';
import { pageParts } from './page-parts.ts';

/**
 * Writes the page with all its files into a folder, for any static host.
 *
 * @throws UserError if the folder is not empty
 */
export function writePage(output: string): void {
  assertNewFolder(output);
  for (const { address, folder, files } of pageParts()) {
    const to = join(output, address);
    makeFolder(to);
    for (const name of files) copyFileSync(join(folder, name), join(to, name));
  }
}
