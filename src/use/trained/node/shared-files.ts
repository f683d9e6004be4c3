import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { atomicCopy } from '../../../input/store/node/atomic-write.ts';
import { UserError } from '../../../support/user-error.ts';
import { SHARED_FILES } from '../full-model.ts';

/** Copies the files that a derived model shares with its base. Throws a UserError like {@link sharedFiles}. */
export function copySharedFiles(from: string, to: string): void {
  for (const [file, path] of sharedFiles(from)) atomicCopy(path, join(to, file));
}

/**
 * The files of a base model's folder that a derived model copies: their real paths, by name.
 *
 * @throws UserError for a path that is not a file, and for a link that leads out of the folder, because its target may
 * be private. In the Hub's cache, which consists of links, a link must stay in its repository.
 */
export function sharedFiles(folder: string): Map<string, string> {
  const home = realpathSync(folder);
  const blobs = basename(dirname(home)) === 'snapshots' ? join(home, '..', '..', 'blobs') : home;
  const present = SHARED_FILES.filter((name) => existsSync(join(folder, name)));
  return new Map(
    present.map((name) => {
      const path = realpathSync(join(folder, name));
      const isWithin = [home, blobs].some((root) => path.startsWith(root + sep));
      if (isWithin && statSync(path).isFile()) return [name, path];
      throw new UserError({
        where: join(folder, name),
        fault: `cannot be copied beside the new weights: it is ${isWithin ? 'a folder or a device' : `a link to ${path}`}`,
        hint: 'Put a copy of the file in its place.',
      });
    }),
  );
}
