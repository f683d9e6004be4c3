import { existsSync, readdirSync } from 'node:fs';
import { UserError } from '../../support/user-error.ts';

/** Rejects an output folder that already has files, and an empty path, which would be the current folder. */
export function assertNewFolder(path: string): void {
  if (path === '') throw new UserError({ where: 'output', expected: 'the name of a folder', got: 'nothing' });
  if (!existsSync(path) || readdirSync(path).length === 0) return;
  throw new UserError({
    where: `output: ${path}`,
    expected: 'a new or empty folder',
    got: 'one with files in it',
  });
}
