import { createHash } from 'node:crypto';
import { bytesAsSource, digestRanges, startDigest } from '../../src/input/formats/byte-source.ts';
import type { FolderFiles } from '../../src/input/formats/files.ts';
import { joinedBytes } from '../../src/support/arrays.ts';
import { Sha256 } from '../../src/support/sha256.ts';
import { UserError } from '../../src/support/user-error.ts';

/**
 * A folder in memory.
 *
 * @param files the content of its files, by their paths below the outermost folder
 * @param at the path of this folder, empty or with a slash at its end
 */
export function filesInMemory(files = new Map<string, Uint8Array>(), at = ''): FolderFiles {
  const path = (name: string) => at + name;
  const below = (name: string) => [...files.keys()].filter((key) => key.startsWith(`${path(name)}/`));
  const bytesOf = (content: string | Uint8Array) =>
    typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const missing = (name: string, expected: string) =>
    new UserError({
      where: path(name),
      fault: `does not exist; it should be ${expected}`,
      code: 'not_found',
    });
  return {
    name: at.slice(0, -1),
    path,
    list: () => {
      const inside = [...files.keys()].filter((key) => key.startsWith(at));
      return [...new Set(inside.map((key) => key.slice(at.length).split('/')[0]!))];
    },
    has: (name) => files.has(path(name)) || below(name).length > 0,
    stat(name) {
      const bytes = files.get(path(name));
      if (bytes)
        return { kind: 'file', size: bytes.length, isLink: false, identity: digestOf(bytes), changed: 0n };
      return below(name).length > 0
        ? { kind: 'folder', size: 0, isLink: false, identity: '', changed: 0n }
        : undefined;
    },
    realPath: path,
    listAll: () => [...files.keys()].filter((key) => key.startsWith(at)).map((key) => key.slice(at.length)),
    open(name) {
      const bytes = files.get(path(name));
      return bytes && bytesAsSource(bytes, path(name));
    },
    missing,
    write(name, content) {
      const isWhole = typeof content === 'string' || content instanceof Uint8Array;
      files.set(path(name), isWhole ? bytesOf(content) : joinedBytes([...content]));
    },
    newFile(name) {
      const parts: Uint8Array[] = [];
      return {
        write: (bytes) => void parts.push(bytes.slice()),
        publish(isIntact) {
          const temporary = `${path(name)}.tmp`;
          files.set(temporary, joinedBytes(parts));
          const isWhole = isIntact(`${name}.tmp`);
          if (isWhole) files.set(path(name), files.get(temporary)!);
          files.delete(temporary);
          return isWhole;
        },
        discard() {},
      };
    },
    link: (name, target) => void files.set(path(name), files.get(path(target))!),
    append: (name, content) =>
      void files.set(path(name), joinedBytes([files.get(path(name)) ?? new Uint8Array(), bytesOf(content)])),
    remove(name) {
      for (const key of [path(name), ...below(name)]) files.delete(key);
    },
    within: (name) => filesInMemory(files, `${path(name)}/`),
    async inScratchFolder(name, work) {
      const scratch = filesInMemory(files, `${path(name)}.tmp/`);
      return work(scratch).finally(() => scratch.list().forEach(scratch.remove));
    },
    digest: (name) => digestOf(files.get(path(name))!),
    newHash: (algorithm) => (algorithm === 'sha1' ? createHash(algorithm) : new Sha256()),
  };
}

/** Like `sourceDigest`. */
function digestOf(bytes: Uint8Array): string {
  const hash = startDigest(bytes.length);
  for (const [begin, end] of digestRanges(bytes.length)) hash.update(bytes.subarray(begin, end));
  return hash.digest('hex');
}
