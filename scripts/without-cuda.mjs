import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * npm's preinstall step, which runs before the install scripts of other packages.
 *
 * On x64 Linux, the install script of onnxruntime-node downloads some 200 MB of CUDA libraries from a host
 * other than the registry. If the download fails, the whole installation fails. This package does not need
 * the libraries, because it computes on CPU and WebGPU. A variable (`ONNXRUNTIME_NODE_INSTALL=skip`) would
 * stop the download, but a package cannot set it for another package. So this script adds lines to
 * onnxruntime-node's list of downloads, which empty the list unless such a variable is set.
 *
 * From version 12 on, npm runs neither script by default. This script does nothing in a checkout (its
 * package-lock.json excludes onnxruntime-node's script), if a variable says what to download, or if another
 * package also uses onnxruntime-node.
 */

const ENGINE = 'onnxruntime-node';
const WISHES = ['ONNXRUNTIME_NODE_INSTALL', 'ONNXRUNTIME_NODE_INSTALL_CUDA'];
const LINES = `
// From here on by adalora, which does not use CUDA. For another program to use it:
//   ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node --foreground-scripts
const isWished = ${JSON.stringify(WISHES)}.some(
  (name) => process.env[name] ?? process.env['npm_config_' + name.toLowerCase()],
);
if (!isWished) module.exports.requirements = {};
`;

try {
  const here = dirname(dirname(fileURLToPath(import.meta.url)));
  const isInstalled = basename(dirname(here)) === 'node_modules';
  const isDecided = WISHES.some(
    (name) => process.env[name] ?? process.env[`npm_config_${name.toLowerCase()}`],
  );
  if (isInstalled && !isDecided) leaveOutCuda(here);
} catch {
  // onnxruntime-node's script then runs unchanged.
}

function leaveOutCuda(here) {
  const require = createRequire(import.meta.url);
  const engine = dirname(require.resolve(`${ENGINE}/package.json`));
  if (usedByOthers(dirname(engine), here)) return;
  const list = join(engine, 'script', 'install-metadata.js');
  const { requirements } = require(list);
  if (!requirements || Object.keys(requirements).length === 0) return;
  // Written as a new file, because package managers may have linked the old one into several projects.
  const temporary = `${list}.adalora`;
  writeFileSync(temporary, readFileSync(list, 'utf8') + LINES);
  renameSync(temporary, list);
}

/** Whether the project, or another installed package, depends on onnxruntime-node. */
function usedByOthers(modules, here) {
  const folders = readdirSync(modules).flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => join(name, inner)) : [name],
  );
  return [dirname(modules), ...folders.map((name) => join(modules, name))]
    .filter((folder) => folder !== here && existsSync(join(folder, 'package.json')))
    .some((folder) => {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      return ['dependencies', 'optionalDependencies', 'peerDependencies'].some(
        (kind) => manifest[kind]?.[ENGINE],
      );
    });
}
