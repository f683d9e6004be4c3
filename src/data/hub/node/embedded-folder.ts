import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../../support/user-error.ts';

/** Four folders up from this file lies the package, from its source and from what is built of it alike. */
const PACKAGE = fileURLToPath(new URL('../../../..', import.meta.url));

/** The folder of the embedded model. Throws a UserError for a package without. */
export function embeddedFolder(root = PACKAGE): string {
  const folder = join(root, 'models', 'mini');
  if (existsSync(join(folder, 'config.json'))) return folder;
  throw new UserError({
    where: 'model',
    expected: `the embedded model in ${folder}`,
    got: 'nothing there',
    hint: 'Name another: a folder, or a model id of the Hub.',
  });
}
