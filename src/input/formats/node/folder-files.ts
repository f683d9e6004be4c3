import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../support/user-error.ts';
import { atomicWrite } from '../../store/node/atomic-write.ts';
import type { FolderFiles } from '../files.ts';
import { contentDigest } from './content-digest.ts';
import { FileSource } from './file-source.ts';

/** Rejects an output folder that already has files, and an empty path, which would mean the current folder. */
export function assertNewFolder(path: string): void {
  if (path === '') throw new UserError({ key: 'output', fault: 'is empty', hint: 'Name a folder.' });
  if (!existsSync(path) || readdirSync(path).length === 0) return;
  throw new UserError({
    where: `output: ${path}`,
    fault: 'is not empty',
    hint: 'Choose a new or empty folder.',
    code: 'already_exists',
  });
}

/** The files of a folder. Those that are read through `open` need not be closed, because each read opens them. */
export function folderFiles(folder: string): FolderFiles {
  const path = (name: string) => join(folder, name);
  return {
    name: join(folder),
    path,
    list: () => (statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(folder) : []),
    has: (name) => existsSync(path(name)),
    digest: (name) => contentDigest(path(name)),
    openNow: (name, expected) => FileSource.open(path(name), expected),
    async open(name) {
      if (!existsSync(path(name))) return undefined;
      const opened = <T>(use: (source: FileSource) => T): T => {
        const source = FileSource.open(path(name), 'a file');
        try {
          return use(source);
        } finally {
          source.close();
        }
      };
      return {
        size: opened(({ size }) => size),
        read: async (begin, end) => opened((source) => source.read(begin, end)),
      };
    },
    write: (name, content) => atomicWrite(path(name), content),
    append: (name, content) => appendFileSync(path(name), content),
    remove: (name) => rmSync(path(name), { recursive: true, force: true }),
    within: (name) => folderFiles(path(name)),
    newHash: () => createHash('sha256'),
  };
}
