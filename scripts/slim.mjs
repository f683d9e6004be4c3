import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * node node_modules/adalora/scripts/slim.mjs [--keep-web] [--dry-run]
 *
 * Deletes the engine files in node_modules that this machine does not need: binaries of other platforms, and builds for
 * pages. `--keep-web` keeps the latter, for `adalora web` and for bundling your own page. `--dry-run` only lists them.
 */

const { resolve } = createRequire(import.meta.url);
/** Files of the build for pages that `device: wasm` needs in Node. */
const USED_IN_NODE = /^(ort\.node\.min\.|ort-wasm-simd-threaded\.(mjs|wasm)$)/;

/** Paths of engine files that this machine does not need. */
export function sparePaths(keepsWeb) {
  const native = join(dirname(resolve('onnxruntime-node/package.json')), 'bin');
  // Binaries are in folders VERSION/PLATFORM/ARCHITECTURE.
  const platforms = pathsIn(native).flatMap(pathsIn);
  const spare = platforms.flatMap((folder) =>
    folder.endsWith(process.platform)
      ? pathsIn(folder).filter((path) => !path.endsWith(process.arch))
      : [folder],
  );
  if (keepsWeb) return spare;
  const web = dirname(resolve('onnxruntime-web/ort-wasm-simd-threaded.mjs'));
  return [
    ...spare,
    ...readdirSync(web)
      .filter((name) => !USED_IN_NODE.test(name))
      .map((name) => join(web, name)),
  ];
}

/** Bytes of a file, or of all files of a folder. */
export function bytesAt(path) {
  const stat = statSync(path);
  return stat.isDirectory() ? pathsIn(path).reduce((sum, inner) => sum + bytesAt(inner), 0) : stat.size;
}

function pathsIn(folder) {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const spare = sparePaths(process.argv.includes('--keep-web'));
  const bytes = spare.reduce((sum, path) => sum + bytesAt(path), 0);
  for (const path of spare) console.log(path);
  const isDry = process.argv.includes('--dry-run');
  if (!isDry) for (const path of spare) rmSync(path, { recursive: true });
  console.log(`${isDry ? 'Would delete' : 'Deleted'}: ${Math.round(bytes / 1e6)} MB.`);
}
