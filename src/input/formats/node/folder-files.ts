import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, lstatSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { PROGRAM } from '../../../support/program.ts';
import { fileError } from '../../../support/user-error.ts';
import { atomicWrite } from '../../store/node/atomic-write.ts';
import { newLink } from '../../store/node/links.ts';
import { NewFile } from '../../store/node/new-file.ts';
import { inScratchFolder } from '../../store/node/temporary-name.ts';
import { contentDigest } from '../content-digest.ts';
import type { FolderFiles, PathState } from '../files.ts';
import { FileSource, missingFile } from './file-source.ts';

/** The files of a folder. Those that are read through `open` need not be closed, because each read opens them. */
export function folderFiles(folder: string): FolderFiles {
  const own = join(folder);
  const path = (name: string) => join(folder, name);
  /** A path in messages: that of the user, if it is one. */
  const shown = (name: string) => (folder === '' ? name : path(name));
  return {
    name: own,
    path,
    list: () => (existsSync(own) ? readdirSync(own) : []),
    has: (name) => existsSync(path(name)),
    stat: (name) => statPath(path(name)),
    realPath: (name) => realpathSync(path(name)),
    listAll: () =>
      readdirSync(own, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/')),
    openNow: (name, expected) => FileSource.open(shown(name), expected),
    missing: (name, expected) => missingFile(shown(name), expected),
    async open(name) {
      if (!existsSync(path(name))) return undefined;
      return {
        size: withFile(path(name), ({ size }) => size),
        read: async (begin, end) => withFile(path(name), (file) => file.read(begin, end)),
      };
    },
    write: (name, content) => atomicWrite(path(name), content),
    newFile(name) {
      const file = new NewFile(path(name));
      return {
        write: (bytes) => file.write(bytes),
        publish: (isIntact) => file.publish((written) => isIntact(relative(own, written))),
        discard: () => file.discard(),
      };
    },
    link: (name, target) => newLink(path(name), path(target)),
    append: (name, content) => appendFileSync(path(name), content),
    remove: (name) => rmSync(path(name), { recursive: true, force: true }),
    within: (name) => folderFiles(path(name)),
    inScratchFolder: (name, work) => inScratchFolder(own, name, (scratch) => work(folderFiles(scratch))),
    digest: (name) => contentDigest(disk, path(name), disk.within(cacheFolder())),
    newHash: (algorithm = 'sha256') => createHash(algorithm),
  };
}

function withFile<T>(path: string, use: (file: FileSource) => T): T {
  const file = FileSource.open(path, 'a file');
  try {
    return use(file);
  } finally {
    file.close();
  }
}

/** The disk of this machine. Its names are paths, absolute or relative to the current folder. */
export const disk = folderFiles('');

function statPath(path: string): PathState | undefined {
  const options = { bigint: true, throwIfNoEntry: false } as const;
  try {
    const own = lstatSync(path, options);
    const isLink = own?.isSymbolicLink() === true;
    const stats = isLink ? statSync(path, options) : own;
    if (!stats) return undefined;
    const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
    const { dev, ino, size, mtimeNs, ctimeNs } = stats;
    const identity = [dev, ino, size, mtimeNs].join();
    return { kind, size: Number(size), isLink, identity, changed: ctimeNs };
  } catch (error) {
    throw fileError(error) ?? error;
  }
}

/** The folder for files that can be created again. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.ADALORA_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), PROGRAM);
}
