import { linkSync } from 'node:fs';

/** Error codes of file systems without hard links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Gives a file a second name, unless another file has that name.
 *
 * @returns whether the name was free; undefined if the file system has no hard links
 */
export function linkNew(file: string, name: string): boolean | undefined {
  try {
    linkSync(file, name);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (NO_LINKS.includes(code as string)) return undefined;
    throw error;
  }
}
