import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../support/user-error.ts';
import type { Files } from '../files.ts';
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

/** The files of a folder. A file is opened for each read, so it need not be closed. */
export function folderFiles(folder: string): Files {
  return {
    name: join(folder),
    list: () => (existsSync(folder) ? readdirSync(folder) : []),
    async open(name) {
      const path = join(folder, name);
      if (!existsSync(path)) return undefined;
      const opened = <T>(use: (source: FileSource) => T): T => {
        const source = FileSource.open(path, 'a file');
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
  };
}
