import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { webEngineFolder } from './web-engine-folder.ts';

/** Files of the build for pages that `device: wasm` needs in Node. */
const USED_IN_NODE = /^(ort\.node\.min\.|ort-wasm-simd-threaded\.(mjs|wasm)$)/;

/**
 * Paths of engine files that this machine does not need: native binaries of other platforms, and builds for pages.
 *
 * @param keepWeb whether builds for pages are kept
 */
export function sparePaths({ keepWeb }: { keepWeb: boolean }): string[] {
  return [...foreignBinaries(), ...(keepWeb ? [] : pageBuilds())];
}

function foreignBinaries(): string[] {
  const bin = join(nativeFolder() ?? '', 'bin');
  if (!existsSync(bin)) return [];
  const below = (folder: string) => readdirSync(folder).map((name) => ({ name, path: join(folder, name) }));
  return below(bin)
    .flatMap(({ path: version }) => below(version))
    .flatMap(({ name: platform, path }) =>
      platform === process.platform
        ? below(path).filter(({ name: arch }) => arch !== process.arch)
        : [{ name: platform, path }],
    )
    .map(({ path }) => path);
}

/** The folder of the engine's package for Node. Undefined if it is not installed. */
function nativeFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch {
    return undefined;
  }
}

function pageBuilds(): string[] {
  const folder = webEngineFolder();
  return readdirSync(folder)
    .filter((name) => !USED_IN_NODE.test(name))
    .map((name) => join(folder, name));
}

/** Bytes of a file, or of all files of a folder. */
export function bytesAt(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesAt(join(path, name)), 0);
}

export function remove(path: string): void {
  rmSync(path, { recursive: true });
}
