import { existsSync, readdirSync } from 'node:fs';
import { UserError } from '../../../support/user-error.ts';

/** Rejects an output folder that already has files, and an empty path, which would mean the current folder. */
export function assertNewFolder(path: string): void {
  if (path === '') throw new UserError({ key: 'output', fault: 'is empty', hint: 'Name a folder.' });
  if (!existsSync(path) || readdirSync(path).length === 0) return;
  throw new UserError({
    where: `output: ${path}`,
    fault: 'is not empty',
    hint: 'Choose a new or empty folder.',
  });
}
