import { createHash } from 'node:crypto';
import {
  appendFileSync,
  type BigIntStats,
  existsSync,
  lstatSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
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

/** The files of a folder. */
export function folderFiles(folder: string): FolderFiles {
  const own = join(folder);
  const path = (name: string) => join(folder, name);
  /** On a whole disk, names are the user's paths: `..` after a link leads where the system says, and '' nowhere. */
  const at = (name: string) => (folder === '' ? name : path(name));
  return {
    name: own,
    path,
    list: () => (existsSync(own) ? allowed(() => readdirSync(own)) : []),
    has: (name) => existsSync(at(name)),
    stat: (name) => statPath(at(name)),
    realPath: (name) => realpathSync(at(name)),
    listAll: () => allowed(() => listBelow(own)),
    open: (name, expected = 'a file') => FileSource.open(at(name), expected),
    missing: (name, expected) => missingFile(at(name), expected),
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
    digest: (name) => contentDigest(disk, at(name), disk.within(cacheFolder())),
    newHash: (algorithm = 'sha256') => createHash(algorithm),
  };
}

/** The paths below a folder. Links to folders are not followed, because they may lead in circles. */
function listBelow(folder: string): string[] {
  const found: string[] = [];
  const folders = [''];
  for (const above of folders)
    for (const entry of readdirSync(join(folder, above), { withFileTypes: true })) {
      const name = `${above}${entry.name}`;
      found.push(name);
      if (entry.isDirectory()) folders.push(`${name}/`);
    }
  return found;
}

/** The disk of this machine. Its names are paths, absolute or relative to the current folder. */
export const disk = folderFiles('');

/** Does something with a folder. An error of the file system becomes a UserError. */
function allowed<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileError(error) ?? error;
  }
}

function statPath(path: string): PathState | undefined {
  const options = { bigint: true, throwIfNoEntry: false } as const;
  const own = allowed(() => lstatSync(path, options));
  const isLink = own?.isSymbolicLink() === true;
  const stats = isLink ? followed(own) : own;
  if (!stats) return undefined;
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  const identity = [dev, ino, size, mtimeNs].join();
  return { kind, size: Number(size), isLink, identity, changed: ctimeNs };

  /** The target of a link. A link in a circle, or to where the system denies access, stands for itself. */
  function followed(link: BigIntStats): BigIntStats | undefined {
    try {
      return statSync(path, options);
    } catch {
      return link;
    }
  }
}

/** The folder for files that can be created again. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.ADALORA_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), PROGRAM);
}
