import { nativeEngineFolder, webEngineFolder } from '../../../engine/runtime/node/engine-folders.ts';
import type { FolderFiles } from '../../../input/formats/files.ts';
import { disk } from '../../../input/formats/node/folder-files.ts';
import { addUp } from '../../../support/numbers.ts';

export default async function run({
  keepWeb = false,
  dryRun = false,
}: {
  keepWeb?: boolean;
  dryRun?: boolean;
}): Promise<void> {
  const spare = await sparePaths(disk, { keepWeb });
  const bytes = addUp(spare, (path) => bytesAt(disk, path));
  for (const path of spare) {
    console.log(path);
    if (!dryRun) disk.remove(path);
  }
  const size = `${Math.round(bytes / 1e6)} MB`;
  console.log(spare.length === 0 ? 'Nothing to delete.' : `${dryRun ? 'Would delete' : 'Deleted'}: ${size}.`);
}

/** Files of the build for pages that `device: wasm` needs in Node. */
const USED_IN_NODE = /^(ort\.node\.min\.|ort-wasm-simd-threaded\.(mjs|wasm)$)/;

/**
 * Paths of engine files that this machine does not need: native binaries of other platforms, and builds for pages.
 *
 * @param keepWeb whether builds for pages are kept
 */
export async function sparePaths(disk: FolderFiles, { keepWeb }: { keepWeb: boolean }): Promise<string[]> {
  const native = nativeEngineFolder();
  const foreign = native === undefined ? [] : foreignBinaries(disk.within(native).within('bin'));
  if (keepWeb) return foreign;
  const web = disk.within(webEngineFolder());
  const pageBuilds = web.list().filter((name) => !USED_IN_NODE.test(name));
  return [...foreign, ...pageBuilds.map(web.path)];
}

/** The binaries of other platforms, in folders `VERSION/PLATFORM/ARCHITECTURE`. */
function foreignBinaries(bin: FolderFiles): string[] {
  const platforms = bin.list().flatMap((version) =>
    bin
      .within(version)
      .list()
      .map((name) => ({ version, name })),
  );
  return platforms.flatMap(({ version, name }) => {
    const folder = bin.within(version).within(name);
    if (name !== process.platform) return [folder.name];
    const others = folder.list().filter((architecture) => architecture !== process.arch);
    return others.map(folder.path);
  });
}

/** Bytes of a file, or of all files of a folder. */
export function bytesAt(disk: FolderFiles, path: string): number {
  const { kind, size = 0 } = disk.stat(path) ?? {};
  if (kind !== 'folder') return size;
  const folder = disk.within(path);
  return addUp(folder.list(), (name) => bytesAt(disk, folder.path(name)));
}
