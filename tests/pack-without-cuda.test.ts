import { spawnSync } from 'node:child_process';
import { cpSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { newFolder } from './support/new-folder.ts';

const PLATFORM = `${process.platform}/${process.arch}`;
const METADATA = {
  requirements: { [PLATFORM]: ['cuda12'] },
};

let folder: string;
const path = (...names: string[]) => join(folder, ...names);
const list = () => path('node_modules/onnxruntime-node/script/install-metadata.js');
/** The downloads of the engine's script. */
function fetched(env: Record<string, string> = {}): Record<string, string[]> {
  const program = `console.log(JSON.stringify(require(${JSON.stringify(list())}).requirements))`;
  return JSON.parse(spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', env }).stdout);
}
const WHOLE = { [PLATFORM]: ['cuda12'] };

beforeEach(() => {
  folder = newFolder();
  cpSync('scripts/without-cuda.mjs', path('node_modules/adalora/scripts/without-cuda.mjs'));
  write('node_modules/adalora/package.json', {
    name: 'adalora',
    optionalDependencies: { 'onnxruntime-node': '1' },
  });
  write('node_modules/onnxruntime-node/package.json', { name: 'onnxruntime-node' });
  write('node_modules/@some/package/package.json', { name: '@some/package' });
  write('package.json', { dependencies: { adalora: '1' } });
  mkdirSync(path('node_modules/onnxruntime-node/script'));
  writeFileSync(list(), `module.exports = ${JSON.stringify(METADATA)};\n`);
});

function write(name: string, content: object): void {
  mkdirSync(dirname(path(name)), { recursive: true });
  writeFileSync(path(name), JSON.stringify(content));
}

/** Runs the step as npm does; it must never fail an installation. */
function install(
  env: Record<string, string> = {},
  script = path('node_modules/adalora/scripts/without-cuda.mjs'),
) {
  const { npm_config_onnxruntime_node_install: _, ONNXRUNTIME_NODE_INSTALL: __, ...own } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    cwd: dirname(dirname(script)),
    encoding: 'utf8',
    env: { ...own, ...env },
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
}

it('leaves nothing to download except what a variable names, and keeps a file shared with other projects', () => {
  linkSync(list(), path('shared.js'));
  install();
  install();
  expect(fetched()).toEqual({});
  expect(fetched({ ONNXRUNTIME_NODE_INSTALL: 'cuda12' })).toEqual(WHOLE);
  expect(readFileSync(path('shared.js'), 'utf8')).not.toContain('adalora');
  expect(readFileSync(list(), 'utf8').split('by adalora')).toHaveLength(2);
});

it.each(['ONNXRUNTIME_NODE_INSTALL', 'npm_config_onnxruntime_node_install', 'ONNXRUNTIME_NODE_INSTALL_CUDA'])(
  'does nothing if %s states what to download',
  (name) => {
    install({ [name]: 'cuda12' });
    expect(fetched()).toEqual(WHOLE);
  },
);

it.each([
  ['package.json', { dependencies: { adalora: '1', 'onnxruntime-node': '1' } }],
  ['node_modules/@some/package/package.json', { dependencies: { 'onnxruntime-node': '1' } }],
])('does nothing if %s needs the engine too', (name, manifest) => {
  write(name, manifest);
  install();
  expect(fetched()).toEqual(WHOLE);
});

it('does nothing in a checkout, without the engine, or with a different one', () => {
  cpSync('scripts/without-cuda.mjs', path('checkout/scripts/without-cuda.mjs'));
  install({}, path('checkout/scripts/without-cuda.mjs'));
  expect(fetched()).toEqual(WHOLE);
  writeFileSync(list(), 'module.exports = {}');
  install();
  rmSync(path('node_modules/onnxruntime-node'), { recursive: true });
  install();
});

it('is not needed in a checkout: npm runs no script of the engine there', () => {
  const read = (name: string) => JSON.parse(readFileSync(name, 'utf8'));
  const packages: [string, { hasInstallScript?: true }][] = Object.entries(
    read('package-lock.json').packages,
  );
  const scripted = packages.flatMap(([path, { hasInstallScript }]) =>
    hasInstallScript && path !== '' ? [path.replace(/^.*node_modules\//, '')] : [],
  );
  // npm restores the mark when the version changes: remove hasInstallScript from package-lock.json again.
  expect(scripted).not.toContain('onnxruntime-node');
  const { allowScripts } = read('package.json');
  expect(allowScripts).toMatchObject({ 'onnxruntime-node': false });
  expect(Object.keys(allowScripts)).toEqual(expect.arrayContaining(scripted));
});
