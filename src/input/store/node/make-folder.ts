import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UserError } from '../../../support/user-error.ts';

/**
 * Creates a folder and its parents. mkdir's own recursion is not used, because it never ends below a folder
 * such as /proc.
 *
 * @throws UserError if the system does not allow a folder there; other errors are passed on
 */
export function makeFolder(path: string): void {
  const full = resolve(path);
  if (statSync(full, { throwIfNoEntry: false })) return;
  makeFolder(dirname(full));
  try {
    mkdirSync(full);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process has created it in the meantime.
    if (code === 'EEXIST' && statSync(full, { throwIfNoEntry: false })) return;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
    throw new UserError({
      where: full,
      fault: code === 'EEXIST' ? 'is a link to nothing, so no folder can be made' : 'cannot be made (ENOENT)',
      code: 'file_system',
    });
  }
}
