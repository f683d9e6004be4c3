import { UserError } from './user-error.ts';

/** Errors that a user can mend: permissions, a full disk, a path through a file. Whoever seeks a file reports that it is missing. */
const CODES = [
  ...['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR'],
  ...['EISDIR', 'ELOOP', 'ENAMETOOLONG', 'EIO', 'EMFILE', 'ENFILE', 'EFBIG', 'ENXIO'],
];

/** Those of them that only a write meets. */
const OF_WRITING = ['EROFS', 'ENOSPC', 'EDQUOT', 'EFBIG'];

/** The error of a file operation that the system refused, as one of the user's; undefined for any other. */
export function fileError(error: unknown): UserError | undefined {
  const { code, path, dest, message } = Object(error) as {
    code?: string;
    path?: string;
    dest?: string;
    message: string;
  };
  if (code === 'ERR_INVALID_ARG_VALUE' && message.includes('null bytes'))
    return new UserError({ where: 'file system', expected: 'a path', got: 'one with a null byte' });
  if (code === undefined || !CODES.includes(code)) return undefined;
  return new UserError({
    // What is copied is read from `path`.
    where: (OF_WRITING.includes(code) ? dest : undefined) ?? path ?? 'file system',
    expected: 'the system to allow it',
    got: message.split(', ')[0],
  });
}
