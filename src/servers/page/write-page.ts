import { join } from 'node:path';
import { assertNewFolder } from '../../formats/node/assert-new-folder.ts';
import { atomicCopy } from '../../store/node/atomic-copy.ts';
import { pageParts } from './page-parts.ts';

/**
 * Writes the page with all its files into a folder, for any static host.
 *
 * @throws UserError if the folder is not empty
 */
export function writePage(output: string): void {
  assertNewFolder(output);
  for (const { address, folder, files } of pageParts()) {
    for (const name of files) atomicCopy(join(folder, name), join(output, address, name));
  }
}
