import type { FolderFiles } from '../input/formats/files.ts';
import { UserError } from '../support/user-error.ts';

/**
 * Detects files of a folder that are replaced or overwritten after this call. Otherwise, a later session could map
 * other weights than the first. A new hard link also changes a file's time, so then the content is compared.
 *
 * @returns a function that throws a UserError naming the first changed file
 */
export function unchanged(folder: FolderFiles): (files: Iterable<string>) => void {
  const before = new Map(folder.list().map((file) => [file, folder.stat(file)]));
  const digests = new Map<string, string>();
  const isSame = (file: string): boolean => {
    const [now, then, digest] = [folder.stat(file), before.get(file), digests.get(file)];
    if (!now || now.identity !== then?.identity) return false;
    if (digest !== undefined && now.changed === then.changed) return true;
    before.set(file, now);
    digests.set(file, folder.digest(file));
    return digest === undefined || digest === digests.get(file);
  };
  return (files) => {
    for (const file of files) {
      if (isSame(file)) continue;
      const hint = 'Start again with weights that do not change during the run.';
      throw new UserError({
        where: folder.path(file),
        fault: 'was replaced or changed since it was opened',
        hint,
      });
    }
  };
}
