import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const PLATFORM = `${process.platform}/${process.arch}`;
const METADATA = {
  requirements: { [PLATFORM]: ['cuda12'] },
  manifests: { [`${PLATFORM}:cuda12`]: { './a.so': {}, './b.so': {} } },
};

let folder: string;
const path = (...names: string[]) => join(folder, ...names);
const libraries = (name: string) => path('node_modules/onnxruntime-node/bin/napi-v6', PLATFORM, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cuda-'));
  cpSync('scripts/without-cuda.mjs', path('node_modules/adalora/scripts/without-cuda.mjs'));
  write('node_modules/adalora/package.json', {
    name: 'adalora',
    optionalDependencies: { 'onnxruntime-node': '1' },
  });
  write('node_modules/onnxruntime-node/package.json', { name: 'onnxruntime-node' });
  write('node_modules/@some/package/package.json', { name: '@some/package' });
  write('package.json', { dependencies: { adalora: '1' } });
  mkdirSync(path('node_modules/onnxruntime-node/script'));
  writeFileSync(
    path('node_modules/onnxruntime-node/script/install-metadata.js'),
    `module.exports = ${JSON.stringify(METADATA)}`,
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, content: object): void {
  mkdirSync(dirname(path(name)), { recursive: true });
  writeFileSync(path(name), JSON.stringify(content));
}

/** Runs the step as npm does; it may never fail an installation. */
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

it('puts a note where the libraries would go, and leaves libraries alone', () => {
  mkdirSync(dirname(libraries('a.so')), { recursive: true });
  writeFileSync(libraries('a.so'), 'library');
  install();
  expect(readFileSync(libraries('a.so'), 'utf8')).toBe('library');
  expect(readFileSync(libraries('b.so'), 'utf8')).toMatch(
    /^Not a library, but a note: .*ONNXRUNTIME_NODE_INSTALL=cuda12/s,
  );
});

it.each(['ONNXRUNTIME_NODE_INSTALL', 'npm_config_onnxruntime_node_install', 'ONNXRUNTIME_NODE_INSTALL_CUDA'])(
  'does nothing where %s says what to fetch',
  (name) => {
    install({ [name]: 'cuda12' });
    expect(existsSync(libraries('a.so'))).toBe(false);
  },
);

it.each([
  ['package.json', { dependencies: { adalora: '1', 'onnxruntime-node': '1' } }],
  ['node_modules/@some/package/package.json', { dependencies: { 'onnxruntime-node': '1' } }],
])('does nothing where %s wants the engine too', (name, manifest) => {
  write(name, manifest);
  install();
  expect(existsSync(libraries('a.so'))).toBe(false);
});

it('does nothing in a checkout, without the engine, or with one that is built otherwise', () => {
  cpSync('scripts/without-cuda.mjs', path('checkout/scripts/without-cuda.mjs'));
  install({}, path('checkout/scripts/without-cuda.mjs'));
  expect(existsSync(libraries('a.so'))).toBe(false);
  writeFileSync(path('node_modules/onnxruntime-node/script/install-metadata.js'), 'module.exports = {}');
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
  // npm puts the mark back when the version changes: take hasInstallScript out of package-lock.json again.
  expect(scripted).not.toContain('onnxruntime-node');
  const { allowScripts } = read('package.json');
  expect(allowScripts).toMatchObject({ 'onnxruntime-node': false });
  expect(Object.keys(allowScripts)).toEqual(expect.arrayContaining(scripted));
});
