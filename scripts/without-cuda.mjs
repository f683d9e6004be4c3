import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * npm's preinstall step, before any other package's install script. On x64 Linux, the script of onnxruntime-node
 * downloads some 200 MB of CUDA libraries from another host than the registry. If that fails, the whole installation
 * fails. This package computes on CPU and WebGPU, for which onnxruntime-node is complete. A variable
 * (`ONNXRUNTIME_NODE_INSTALL=skip`) would stop the download, but a package cannot set it for another. So this script
 * adds lines to its list of downloads, which empty the list if no variable is set.
 *
 * npm from 12 on runs neither script by default. Nothing is done in a checkout (its package-lock.json excludes that
 * script), if a variable states what to download, or if another package uses onnxruntime-node too.
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
  // Its script then runs as usual.
}

function leaveOutCuda(here) {
  const require = createRequire(import.meta.url);
  const engine = dirname(require.resolve(`${ENGINE}/package.json`));
  if (usedByOthers(dirname(engine), here)) return;
  const list = join(engine, 'script', 'install-metadata.js');
  const { requirements } = require(list);
  if (!requirements || Object.keys(requirements).length === 0) return;
  // A new file: package managers may have linked the other one into several projects.
  const temporary = `${list}.adalora`;
  writeFileSync(temporary, readFileSync(list, 'utf8') + LINES);
  renameSync(temporary, list);
}

/** Whether the project, or a package beside the engine, depends on it. */
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
