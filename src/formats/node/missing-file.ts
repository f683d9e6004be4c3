import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { nearest } from '../../support/nearest.ts';
import { UserError } from '../../support/user-error.ts';

/**
 * The UserError for a path that does not exist. It suggests similar names in the same folder.
 *
 * @param expected a noun such as "a folder"
 */
export function missingFile(path: string, expected: string): UserError {
  const folder = dirname(resolve(path));
  const fault = `does not exist; it should be ${expected}`;
  const error = { where: path, fault, code: 'not_found' } as const;
  if (!existsSync(folder))
    return new UserError({ ...error, hint: `The folder ${folder} does not exist either.` });
  const near = nearNames(path);
  return new UserError({ ...error, hint: near.length > 0 ? `Did you mean ${near.join(', ')}?` : undefined });
}

/** Names in the same folder that are similar to the path's last part. */
export function nearNames(path: string): string[] {
  return nearest(basename(path), listing(dirname(resolve(path))));
}

function listing(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
