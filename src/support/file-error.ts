import { UserError } from './user-error.ts';

/**
 * Codes of errors that a user can fix: permissions, a full disk, a file where a folder should be. A missing file is
 * reported by the function that needs the file.
 */
const CODES = [
  ...['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR'],
  ...['EISDIR', 'ELOOP', 'ENAMETOOLONG', 'EIO', 'EMFILE', 'ENFILE', 'EFBIG', 'ENXIO'],
];

/** Codes of errors that only a write can cause. */
const OF_WRITING = ['EROFS', 'ENOSPC', 'EDQUOT', 'EFBIG'];

/** Turns a system error of a file operation into a UserError. Returns undefined for any other error. */
export function fileError(error: unknown): UserError | undefined {
  const { code, path, dest, message } = Object(error) as {
    code?: string;
    path?: string;
    dest?: string;
    message: string;
  };
  if (code === 'ERR_INVALID_ARG_VALUE' && message.includes('null bytes'))
    return new UserError({ where: 'file system', fault: 'cannot use a path with a null byte' });
  if (code === undefined || !CODES.includes(code)) return undefined;
  return new UserError({
    // A copy reads from `path` and writes to `dest`.
    where: (OF_WRITING.includes(code) ? dest : undefined) ?? path ?? 'file system',
    fault:
      code === 'ENOTDIR'
        ? 'is not a possible path, because one of the folders in it is a file (ENOTDIR)'
        : `failed: ${message.split(', ')[0]}`,
  });
}
