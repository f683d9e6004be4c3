import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UserError } from '../../support/user-error.ts';

/**
 * Makes a folder and those above it. Not by mkdir's own recursion, which never ends below a folder such as /proc.
 *
 * @throws UserError where the system cannot make one there; other refusals as they come
 */
export function makeFolder(path: string): void {
  const full = resolve(path);
  if (statSync(full, { throwIfNoEntry: false })) return;
  makeFolder(dirname(full));
  try {
    mkdirSync(full);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Somebody else made it meanwhile.
    if (code === 'EEXIST' && statSync(full, { throwIfNoEntry: false })) return;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
    throw new UserError({
      where: full,
      expected: 'a folder that can be made',
      got: code === 'EEXIST' ? 'a link to nothing' : 'a refusal of the system (ENOENT)',
    });
  }
}
